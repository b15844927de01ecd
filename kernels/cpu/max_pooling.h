// 2x2 pooling of one window of vectors, shared by the pooling kernels and the convolutions' epilogues.
#pragma once

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

struct Window {
  VecF v00, v01, v10, v11;
};

IMPASTO_INLINE VecF pool_max(const Window& a) { return larger(larger(a.v00, a.v01), larger(a.v10, a.v11)); }
IMPASTO_INLINE VecF pool_average(const Window& a) { return 0.25f * ((a.v00 + a.v01) + (a.v10 + a.v11)); }

// Values this close to the largest count as equal to it, relative. Where a picture is constant, the four of a window are equal in exact
// arithmetic and the gradient belongs to the first; a Winograd convolution rounds each place of its tile differently, and an exact
// comparison would hand the gradient to an arbitrary one of the four. Measured on constant planes with He filters, the places of F(6)'s
// tile differ by 3e-7 of their value in the median channel and 4e-6 in the 95th percentile (64 to 256 channels; beyond that are values
// that cancelled to nearly nothing); F(2)'s by nothing. Two of four unrelated values come as close by chance about once in 10^5 windows.
inline constexpr float kTie = 4e-6f;

// Sets, for each lane in `wanted`, the bit of the first of the four that is as large as `largest`; clears the other three.
// mask: the window's first word, rows `width` words apart.
IMPASTO_INLINE void record_max(const Window& a, VecF largest, unsigned wanted, std::uint16_t* mask, std::int64_t width, int part) {
  // Below the largest for either sign: largest - kTie |largest|.
  const VecF bound = largest - kTie * larger(largest, -largest);
  const unsigned first = wanted & not_less_bits(a.v00, bound);
  const unsigned second = wanted & ~first & not_less_bits(a.v01, bound);
  const unsigned third = wanted & ~first & ~second & not_less_bits(a.v10, bound);
  const unsigned fourth = wanted & ~first & ~second & ~third & not_less_bits(a.v11, bound);
  store_bits(mask, part, first);
  store_bits(mask + 1, part, second);
  store_bits(mask + width, part, third);
  store_bits(mask + width + 1, part, fourth);
}

}  // namespace impasto::cpu::IMPASTO_ISA
