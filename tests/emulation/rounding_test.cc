// The emulation's binary16, bfloat16 and TF32 against the formats' definitions, worked out apart.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "tests/emulation/rounding.h"
#include "tests/support/rounding.h"

namespace {

using impasto::Precision;
using impasto::emulation::tf32;
using impasto::testing_support::stored;

float as_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

TEST(Bfloat16, EveryNumberIsItsOwnFloat) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    __nv_bfloat16 number;
    number.bits = static_cast<std::uint16_t>(bits);
    const float value = __bfloat162float(number);
    if (std::isnan(as_float(bits << 16))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_EQ(__float2bfloat16(value).bits, 0x7fff) << bits;
      continue;
    }
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
    ASSERT_EQ(__float2bfloat16(value).bits, bits);
  }
}

// From the definition: (-1)^sign 2^(exponent - 15) 1.fraction, 2^-14 0.fraction for exponent 0.
double binary16(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const int fraction = static_cast<int>(bits & 0x3ff);
  const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                           : exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                                            : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Binary16, EveryNumberIsItsOwn) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    __half number;
    number.bits = static_cast<std::uint16_t>(bits);
    const float value = __half2float(number);
    if (std::isnan(binary16(bits))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_EQ(__float2half(value).bits, 0x7fff) << bits;
      continue;
    }
    ASSERT_EQ(value, binary16(bits)) << bits;
    ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    ASSERT_EQ(__float2half(value).bits, bits);
  }
}

// Of all floats by their upper 19 bits, which decide but for ties: at both ends, at and around what may be a middle, at a subnormal's too.
TEST(Binary16, RoundsToTheNearestTiesToEven) {
  for (std::uint32_t upper = 0; upper <= 0x7ffff; ++upper) {
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x1fffu}) {
      const float value = as_float(upper << 13 | lower);
      if (std::isnan(value)) {
        ASSERT_EQ(__float2half(value).bits, 0x7fff);
        continue;
      }
      const double expected = stored(std::array{static_cast<double>(value)}, Precision::kFp16)[0];
      const double actual = __half2float(__float2half(value));
      ASSERT_EQ(actual, expected) << std::hexfloat << value;
      ASSERT_EQ(std::signbit(actual), std::signbit(value)) << std::hexfloat << value;
    }
  }
}

// Between two neighbours rounding changes at the middle alone: there, beside it and at the ends, for all of them.
TEST(Bfloat16, RoundsToTheNearestTiesToEven) {
  for (std::uint32_t upper = 0; upper <= 0xffff; ++upper) {
    for (const std::uint32_t lower : {0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const float value = as_float(upper << 16 | lower);
      if (std::isnan(value)) {
        ASSERT_EQ(__float2bfloat16(value).bits, 0x7fff);
        continue;
      }
      const double expected = stored(std::array{static_cast<double>(value)}, Precision::kBf16)[0];
      const double actual = __bfloat162float(__float2bfloat16(value));
      ASSERT_EQ(actual, expected) << std::hexfloat << value;
      ASSERT_EQ(std::signbit(actual), std::signbit(value)) << std::hexfloat << value;
    }
  }
}

// 11 significant bits, float32's exponents.
double nearest_tf32(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const int unit = std::max(exponent - 11, -136);
  return std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit);
}

TEST(Tf32, RoundsToTheNearestTiesToEven) {
  constexpr std::uint32_t kInfinity = 0x7f800000;
  for (std::uint32_t upper = 0; upper < kInfinity; upper += 0x2000) {
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x1fffu}) {
      const float value = as_float(upper | lower);
      const double expected = nearest_tf32(value);
      ASSERT_EQ(tf32(value), expected < 0x1p128 ? expected : HUGE_VAL) << std::hexfloat << value;
      ASSERT_EQ(tf32(-value), -tf32(value)) << std::hexfloat << value;
    }
  }
  EXPECT_EQ(tf32(as_float(kInfinity)), HUGE_VAL);
  EXPECT_TRUE(std::isnan(tf32(std::nanf(""))));
}

}  // namespace
