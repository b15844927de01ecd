// The CUDA backend on the first device, under the suite of tests/kernel.
#include "tests/kernel/backend_cases.h"

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.h"

namespace impasto::testing_support {

std::vector<BackendCase> backend_cases() {
  // Behind the backend's back, so everything it has begun must be done.
  const auto copy = [](void* to, const void* from, std::int64_t bytes) {
    cuda::check(cudaDeviceSynchronize(), "waiting for the device");
    cuda::check(cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault), "copying");
    cuda::check(cudaDeviceSynchronize(), "waiting for the device");
  };
  std::vector<BackendCase> cases;
  for (const Precision precision : {Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
    // Whichever of cuDNN's engines turns out to be the quickest is held to the same as the one that heuristics choose.
    for (const bool autotune : {false, true}) {
      BackendCase on_device = cuda_case(std::string("cuda_") + to_string(precision) + (autotune ? "_autotuned" : ""), precision);
      on_device.variants = {[=] { return make_cuda_backend({.precision = precision, .autotune = autotune}); }};
      if (autotune) on_device.own = Part::kConvolutions;
      on_device.memory = {copy, copy};
      cases.push_back(on_device);
    }
  }
  return cases;
}

}  // namespace impasto::testing_support
