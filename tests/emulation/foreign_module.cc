// A CUDA module of another build.
#include "kernels/cuda_module.h"

extern "C" __attribute__((visibility("default"))) const impasto::CudaModule* impasto_cuda_module() {
  static constexpr impasto::CudaModule module{"0.0.0, some other compiler", nullptr, nullptr};
  return &module;
}
