// The CUDA backend on the emulation, under the suite of tests/kernel: once for each order in which a block's threads may run, in each of
// its precisions.
#include "tests/kernel/backend_cases.h"

#include "kernels/cuda/cuda_backend.h"
#include "tests/emulation/emulator.h"

namespace impasto::testing_support {

std::vector<BackendCase> backend_cases() {
  using emulation::Order;
  const auto emulated = [](Precision precision, const std::vector<Order>& orders) {
    BackendCase made = cuda_case(std::string("cuda_emulated_") + to_string(precision), precision);
    for (const Order order : orders) {
      made.variants.push_back([order, precision] {
        emulation::set_order_of_new_streams(order);
        return make_cuda_backend({.precision = precision});
      });
    }
    return made;
  };
  // TF32's kernels are those of float32.
  return {emulated(Precision::kFp32, {Order::kForward, Order::kReverse, Order::kRandom}), emulated(Precision::kTf32, {Order::kForward}),
          emulated(Precision::kFp16, {Order::kForward, Order::kReverse}), emulated(Precision::kBf16, {Order::kForward, Order::kReverse})};
}

}  // namespace impasto::testing_support
