// The numbers that Features are made of: read into float, computed with in float, rounded when they are written.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "impasto/precision.h"

namespace impasto::cuda {

// Float; __half, IEEE's binary16: 11 significant bits, 2^-24 to 65504; or __nv_bfloat16: the upper 16 bits of a float.
enum class Storage { kFloat32, kFloat16, kBfloat16 };

inline Storage storage_of(Precision precision) {
  return precision == Precision::kFp16 ? Storage::kFloat16 : precision == Precision::kBf16 ? Storage::kBfloat16 : Storage::kFloat32;
}
inline std::int64_t bytes_of(Storage storage) { return storage == Storage::kFloat32 ? 4 : 2; }

// The one of three functions, alike but for the numbers they work on, that is for the storage's.
template <class Function>
Function* for_storage(Storage storage, Function* of_float, Function* of_half, Function* of_bfloat16) {
  return storage == Storage::kFloat16 ? of_half : storage == Storage::kBfloat16 ? of_bfloat16 : of_float;
}

__host__ __device__ inline float widened(float number) { return number; }
__host__ __device__ inline float widened(__half number) { return __half2float(number); }
__host__ __device__ inline float widened(__nv_bfloat16 number) { return __bfloat162float(number); }

// To the nearest, ties to even, and to infinity what is past the largest number; NaN stays NaN.
template <class Number>
__host__ __device__ Number narrowed(float value);
template <>
__host__ __device__ inline float narrowed<float>(float value) {
  return value;
}
template <>
__host__ __device__ inline __half narrowed<__half>(float value) {
  return __float2half(value);
}
template <>
__host__ __device__ inline __nv_bfloat16 narrowed<__nv_bfloat16>(float value) {
  return __float2bfloat16(value);
}

}  // namespace impasto::cuda
