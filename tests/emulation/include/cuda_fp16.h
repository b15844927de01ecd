// Stands in for the toolkit's header of the same name: the one type and the two conversions that kernels/cuda uses.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "cuda_runtime.h"

// IEEE's binary16: sign, 5 bits of exponent, 10 of fraction. Not initialised by default, as the toolkit's.
struct __half {
  __half() = default;
  std::uint16_t bits;
};

inline float __half2float(__half number) {
  const std::uint32_t sign = std::uint32_t{number.bits} >> 15 << 31;
  const std::uint32_t exponent = number.bits >> 10 & 31;
  const std::uint32_t fraction = number.bits & 0x3ff;
  std::uint32_t magnitude = (exponent + 112) << 23 | fraction << 13;
  if (exponent == 0) magnitude = std::bit_cast<std::uint32_t>(static_cast<float>(fraction) * 0x1p-24f);
  if (exponent == 31) magnitude = 0x7f800000 | fraction << 13;
  return std::bit_cast<float>(sign | magnitude);
}

// To the nearest, ties to even, to infinity from 65520 on; every NaN becomes 0x7fff, as on a device.
inline __half __float2half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  std::uint32_t rounded = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;
  if (magnitude < 0x38800000) rounded = static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24f));
  if (magnitude >= 0x477ff000) rounded = 0x7c00;
  __half made;
  made.bits = static_cast<std::uint16_t>(value != value ? 0x7fffu : (bits >> 16 & 0x8000) | rounded);
  return made;
}
