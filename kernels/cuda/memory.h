// Device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <span>

#include "kernels/tensor.h"

namespace impasto::cuda {

// Aligned to 256 bytes, uninitialised; never empty. Throws OutOfMemoryError naming how much was asked for
// and what is free.
Buffer allocate(std::int64_t bytes);

// With the bytes of host, which may be reused at once; in the order of the stream.
Buffer upload(std::span<const std::byte> host, cudaStream_t stream);

}  // namespace impasto::cuda
