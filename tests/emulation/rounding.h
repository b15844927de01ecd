// Numbers as tensor cores take them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace impasto::emulation {

// To TF32, float32 with 10 bits after the leading one: to the nearest, ties to even. (What lies below is not read by the hardware; the
// libraries round before, so far as is known.) What is not finite stays.
inline float tf32(float value) {
  if (!std::isfinite(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfffu + (bits >> 13 & 1)) & ~0x1fffu);
}

}  // namespace impasto::emulation
