// Stands in for the toolkit's header of the same name: the one type and the two conversions that kernels/cuda uses.
#pragma once

#include <bit>
#include <cstdint>

#include "cuda_runtime.h"

// The upper half of a float. Not initialised by default, as the toolkit's.
struct __nv_bfloat16 {
  __nv_bfloat16() = default;
  std::uint16_t bits;
};

inline float __bfloat162float(__nv_bfloat16 number) { return std::bit_cast<float>(std::uint32_t{number.bits} << 16); }

// To the nearest, ties to even; every NaN becomes 0x7fff, as on a device.
inline __nv_bfloat16 __float2bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  __nv_bfloat16 made;
  made.bits = static_cast<std::uint16_t>(value != value ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
  return made;
}
