// The second half of a reduction over a whole grid: what the blocks left is added up in a fixed order.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace impasto::cuda {

// result[i] = sum over b of partials[b * width + i], i < width, in an order that depends on `blocks` alone; 0 for no blocks. Enqueued on
// the stream; does not wait.
void add_partials(const double* partials, int blocks, std::int64_t width, double* result, cudaStream_t stream);

}  // namespace impasto::cuda
