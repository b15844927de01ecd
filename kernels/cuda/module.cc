// What libimpasto_cuda.so exports.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda_module.h"

extern "C" __attribute__((visibility("default"))) const impasto::CudaModule* impasto_cuda_module() {
  static constexpr impasto::CudaModule module{impasto::kCudaModuleBuild, impasto::make_cuda_backend, impasto::describe_cuda_devices};
  return &module;
}
