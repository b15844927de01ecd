// 2x2 pooling of one window of vectors, shared by the pooling kernels and the convolutions' epilogues.
#pragma once

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

struct Window {
  VecF v00, v01, v10, v11;
};

IMPASTO_INLINE VecF pool_max(const Window& a) { return larger(larger(a.v00, a.v01), larger(a.v10, a.v11)); }
IMPASTO_INLINE VecF pool_average(const Window& a) { return 0.25f * ((a.v00 + a.v01) + (a.v10 + a.v11)); }

// Where a picture is flat, or has straight edges, places of a window are equal in exact arithmetic and the gradient belongs to the first of
// them. A Winograd convolution rounds each place of its tile differently; comparing what comes out would hand the gradient to an arbitrary
// one. But such places are equal in every channel, because their inputs are, and others hardly ever. So two places count as equal where all
// channels of a vector agree to kTie of the largest magnitude about: F(6) and the rounding of the layers before stay below it
// (tests/golden/README.md, "Ties"), and four channels, the shortest vector, would all agree so closely by chance about once in 10^16, were
// they independent.
inline constexpr float kTie = 3e-5f;

IMPASTO_INLINE VecF magnitude(VecF v) { return reinterpret_cast<VecF>(reinterpret_cast<VecI>(v) & 0x7fffffff); }

IMPASTO_INLINE bool all_agree(VecF a, VecF b, VecF bound) { return not_less_bits(bound, magnitude(a - b)) == kPartBits; }

// The window with places that count as equal made equal. bound: kTie of the largest magnitude about, in every lane.
IMPASTO_INLINE Window with_ties(Window a, VecF bound) {
  if (all_agree(a.v01, a.v00, bound)) a.v01 = a.v00;
  if (all_agree(a.v10, a.v00, bound)) {
    a.v10 = a.v00;
  } else if (all_agree(a.v10, a.v01, bound)) {
    a.v10 = a.v01;
  }
  if (all_agree(a.v11, a.v00, bound)) {
    a.v11 = a.v00;
  } else if (all_agree(a.v11, a.v01, bound)) {
    a.v11 = a.v01;
  } else if (all_agree(a.v11, a.v10, bound)) {
    a.v11 = a.v10;
  }
  return a;
}

// Sets, for each lane in `wanted`, the bit of the first of the four that is as large as `largest`; clears the other three.
// mask: the window's first word, rows `width` words apart.
IMPASTO_INLINE void record_max(const Window& a, VecF largest, unsigned wanted, std::uint16_t* mask, std::int64_t width, int part) {
  const unsigned first = wanted & not_less_bits(a.v00, largest);
  const unsigned second = wanted & ~first & not_less_bits(a.v01, largest);
  const unsigned third = wanted & ~first & ~second & not_less_bits(a.v10, largest);
  const unsigned fourth = wanted & ~first & ~second & ~third & not_less_bits(a.v11, largest);
  store_bits(mask, part, first);
  store_bits(mask + 1, part, second);
  store_bits(mask + width, part, third);
  store_bits(mask + width + 1, part, fourth);
}

}  // namespace impasto::cpu::IMPASTO_ISA
