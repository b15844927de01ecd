#include <string>

#include "impasto/error.h"
#include "kernels/cuda/launch.h"

namespace impasto::cuda {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  // Errors of a launch stay with the runtime until they are asked for; the next call must not report this one again.
  cudaGetLastError();
  throw DeviceError(std::string(what) + ": " + cudaGetErrorString(status));
}

}  // namespace impasto::cuda
