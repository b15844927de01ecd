// What kernels over whole vectors share: reading and writing four numbers at once, and reductions over the threads of a block. All sums are
// taken in an order that sizes and the threads' numbers alone decide.
//
// Blocks are one-dimensional, of kReductionThreads threads.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.h"
#include "kernels/cuda/vectors.h"

namespace impasto::cuda {

inline constexpr int kWarpThreads = 32;
inline constexpr unsigned kWholeWarp = 0xffffffffu;
inline constexpr int kReductionThreads = 256;
inline constexpr int kReductionWarps = kReductionThreads / kWarpThreads;

// --- four numbers ---------------------------------------------------------------------------------------------------------------------
// Vectors begin at multiples of 16 bytes, and so do their elements `at`, multiples of 4.

// Those from `at` on, and 0 from `size` on.
__device__ inline float4 load_four(const float* v, std::int64_t at, std::int64_t size) {
  if (at + 4 <= size) return *reinterpret_cast<const float4*>(v + at);
  return {at < size ? v[at] : 0.0f, at + 1 < size ? v[at + 1] : 0.0f, at + 2 < size ? v[at + 2] : 0.0f, 0.0f};
}

// To `at` and on, as far as they stay below `size`.
__device__ inline void store_four(float* v, std::int64_t at, std::int64_t size, float4 x) {
  if (at + 4 <= size) {
    *reinterpret_cast<float4*>(v + at) = x;
    return;
  }
  if (at < size) v[at] = x.x;
  if (at + 1 < size) v[at + 1] = x.y;
  if (at + 2 < size) v[at + 2] = x.z;
}

// --- one block ------------------------------------------------------------------------------------------------------------------------
// Every thread of the block must call these; they hold barriers. Internal linkage: GCC cannot give a variable without initial value, as the
// emulation makes the shared one, the right section in a function that several files share.

struct Add {
  __device__ double operator()(double a, double b) const { return a + b; }
};

// NaN if either is.
struct Larger {
  template <class Number>
  __device__ Number operator()(Number a, Number b) const {
    return a > b || a != a ? a : b;
  }
};

// Every thread returns the result: partners combine the same two numbers, so all lanes of a warp end with the same bits.
template <class Operation>
static __device__ double block_reduce(double value, Operation operation) {
  __shared__ double of_warps[kReductionWarps];
  for (int distance = kWarpThreads / 2; distance > 0; distance /= 2) {
    value = operation(value, __shfl_xor_sync(kWholeWarp, value, distance));
  }
  // The previous call's results may still be being read.
  __syncthreads();
  if (threadIdx.x % kWarpThreads == 0) of_warps[threadIdx.x / kWarpThreads] = value;
  __syncthreads();
  value = of_warps[0];
  for (int warp = 1; warp < kReductionWarps; ++warp) value = operation(value, of_warps[warp]);
  return value;
}

static __device__ inline double block_sum(double value) { return block_reduce(value, Add{}); }
static __device__ inline double block_max(double value) { return block_reduce(value, Larger{}); }

}  // namespace impasto::cuda
