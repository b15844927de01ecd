// Calls of cuDNN and cuBLAS are made to fail in turn like those of the runtime (emulation::fail_call).
#pragma once

#include <chrono>
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

// The same of a call that gives the stream work; takes: as for enqueue.
inline void enqueue_library_call(const char* what, cudaStream_t stream, std::function<void()> work,
                                 std::chrono::nanoseconds takes = std::chrono::microseconds(1)) {
  cuda::check(enqueue(stream, std::move(work), takes), what);
}

}  // namespace impasto::emulation
