// Calls of cuDNN and cuBLAS are made to fail in turn like those of the runtime (emulation::fail_call).
#pragma once

#include "kernels/cuda/launch.h"

namespace impasto::emulation {

// Throws DeviceError when it is this call's turn: a call of the runtime that does nothing else stands for it.
inline void pass_library_call(const char* what) {
  int version = 0;
  cuda::check(cudaRuntimeGetVersion(&version), what);
}

}  // namespace impasto::emulation
