// The CUDA backend on the emulation, under the suite of tests/kernel: once for each order in which a block's threads may run.
#include "tests/kernel/backend_cases.h"

#include "kernels/cuda/cuda_backend.h"
#include "tests/emulation/emulator.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {

std::vector<BackendCase> backend_cases() {
  BackendCase emulated{"cuda_emulated", {}, tolerance::kDirectConvolution};
  for (const emulation::Order order : {emulation::Order::kForward, emulation::Order::kReverse, emulation::Order::kRandom}) {
    emulated.variants.push_back([order] {
      emulation::set_order_of_new_streams(order);
      return make_cuda_backend(0);
    });
  }
  return {emulated};
}

}  // namespace impasto::testing_support
