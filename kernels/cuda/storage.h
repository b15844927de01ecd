// The numbers that Features are made of: read into float, computed with in float, rounded when they are written.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "impasto/precision.h"

namespace impasto::cuda {

// Float, or __nv_bfloat16: the upper 16 bits of a float.
enum class Storage { kFloat32, kBfloat16 };

inline Storage storage_of(Precision precision) { return precision == Precision::kBf16 ? Storage::kBfloat16 : Storage::kFloat32; }
inline std::int64_t bytes_of(Storage storage) { return storage == Storage::kBfloat16 ? 2 : 4; }

__host__ __device__ inline float widened(float number) { return number; }
__host__ __device__ inline float widened(__nv_bfloat16 number) { return __bfloat162float(number); }

// To the nearest, ties to even; NaN stays NaN.
template <class Number>
__host__ __device__ Number narrowed(float value);
template <>
__host__ __device__ inline float narrowed<float>(float value) {
  return value;
}
template <>
__host__ __device__ inline __nv_bfloat16 narrowed<__nv_bfloat16>(float value) {
  return __float2bfloat16(value);
}

}  // namespace impasto::cuda
