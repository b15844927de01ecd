// Operands as tensor cores take them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/cuda/storage.h"

namespace impasto::emulation {

// To TF32, float32 with 10 bits after the leading one: to the nearest, ties to even. (What lies below is not read by the hardware; the
// libraries round before, so far as is known.) What is not finite stays.
inline float tf32(float value) {
  if (!std::isfinite(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfffu + (bits >> 13 & 1)) & ~0x1fffu);
}

// Number i of `storage` numbers, for products of that precision.
inline float operand(const void* numbers, cuda::Storage storage, Precision precision, std::int64_t i) {
  if (storage == cuda::Storage::kFloat16) return cuda::widened(static_cast<const __half*>(numbers)[i]);
  if (storage == cuda::Storage::kBfloat16) return cuda::widened(static_cast<const __nv_bfloat16*>(numbers)[i]);
  const float value = static_cast<const float*>(numbers)[i];
  return precision == Precision::kTf32 ? tf32(value) : value;
}

inline void store(float value, void* numbers, cuda::Storage storage, std::int64_t i) {
  if (storage == cuda::Storage::kFloat16) {
    static_cast<__half*>(numbers)[i] = cuda::narrowed<__half>(value);
  } else if (storage == cuda::Storage::kBfloat16) {
    static_cast<__nv_bfloat16*>(numbers)[i] = cuda::narrowed<__nv_bfloat16>(value);
  } else {
    static_cast<float*>(numbers)[i] = value;
  }
}

}  // namespace impasto::emulation
