// The two ways into the CUDA runtime that every file here shares: a checked call, and the start of a kernel. Kernels are started by this
// template and not by <<<>>>, so that the same sources, compiled by a host compiler, run on the emulation in tests/emulation.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace impasto::cuda {

// Throws DeviceError "<what>: <the runtime's own words>" unless status is cudaSuccess.
void check(cudaError_t status, const char* what);

// Starts kernel(arguments...) on the stream; does not wait. what: for the error message, e.g. "starting dots".
template <class... Parameters, class... Arguments>
void launch(const char* what, void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream, const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), what);
}

// Blocks of `each` that cover `count`, at most `most`: kernels walk what is left with a stride of the whole grid.
inline unsigned blocks_for(std::int64_t count, std::int64_t each, std::int64_t most = 65'535) {
  const std::int64_t blocks = (count + each - 1) / each;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

}  // namespace impasto::cuda
