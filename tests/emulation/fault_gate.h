// Calls of cuDNN and cuBLAS are made to fail in turn like those of the runtime (emulation::fail_call).
#pragma once

#include <functional>
#include <utility>

#include "kernels/cuda/launch.h"
#include "tests/emulation/emulator.h"

namespace impasto::emulation {

// Throws DeviceError when it is this call's turn: a call of the runtime that does nothing else stands for it.
inline void pass_library_call(const char* what) {
  int version = 0;
  cuda::check(cudaRuntimeGetVersion(&version), what);
}

// The same of a call that gives the stream work.
inline void enqueue_library_call(const char* what, cudaStream_t stream, std::function<void()> work) {
  cuda::check(enqueue(stream, std::move(work)), what);
}

}  // namespace impasto::emulation
