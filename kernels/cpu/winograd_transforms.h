// Winograd's minimal filtering F(M, 3) in one dimension [Lavin & Gray 2016, arXiv 1509.09308]: M outputs of a 3-tap correlation from
// M + 2 inputs with M + 2 multiplications, out = A^T [(G g) . (B^T d)]; in two dimensions both axes in turn.
//
// Interpolation points: F(2) 0, 1, -1, inf;  F(4) 0, 1, -1, 2, -2, inf;  F(6) 0, 1, -1, 2, -2, 1/2, -1/2, inf.
// The matrices are the usual ones for these points; rows of B^T and G are scaled so that B^T's entries stay small multiples, but for F(4):
// its G has F(6)'s rows, so that transformed filters of F(6) serve tiles of F(4) too (tile_grid.h), and its B^T makes up for it.
// Rounding, relative L2 error of a convolution with He filters against float64: F(2) 3e-7, F(4) 1.4e-6 .. 3.6e-6,
// F(6) 2.7e-6 .. 7.1e-6 (direct summation: 3e-7 .. 8e-7).
#pragma once

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

template <int M>
inline constexpr int kTaps = M + 2;

// Where point i of F(M) stands among the `taps` points of the filters: the last is infinity, those before are the same.
template <int M>
IMPASTO_INLINE int point_of(int i, int taps) {
  return i < M + 1 ? i : taps - 1;
}

// out[0], out[stride], ... = B^T in
template <int M>
IMPASTO_INLINE void input_transform(const VecF* d, VecF* out, int stride) {
  if constexpr (M == 2) {
    out[0] = d[0] - d[2];
    out[stride] = d[1] + d[2];
    out[2 * stride] = d[2] - d[1];
    out[3 * stride] = d[3] - d[1];
  } else if constexpr (M == 4) {
    const VecF even1 = multiply_add(-3.0f, d[2], 0.75f * d[4]);
    const VecF odd1 = multiply_add(-3.0f, d[1], 0.75f * d[3]);
    const VecF even2 = 3.75f * (d[4] - d[2]);
    const VecF odd2 = 7.5f * (d[3] - d[1]);
    out[0] = multiply_add(0.25f, d[4], multiply_add(-1.25f, d[2], d[0]));
    out[stride] = even1 + odd1;
    out[2 * stride] = even1 - odd1;
    out[3 * stride] = even2 + odd2;
    out[4 * stride] = even2 - odd2;
    out[5 * stride] = multiply_add(4.0f, d[1], multiply_add(-5.0f, d[3], d[5]));
  } else {
    static_assert(M == 6);
    const VecF even1 = multiply_add(-4.25f, d[4], d[2] + d[6]);
    const VecF odd1 = multiply_add(-4.25f, d[3], d[1] + d[5]);
    // By differences, so that constant inputs give exact zeros here and one and the same output everywhere.
    const VecF low = d[2] - d[4];
    const VecF high = d[6] - d[4];
    const VecF even2 = multiply_add(0.25f, low, high);
    const VecF even3 = multiply_add(4.0f, low, high);
    const VecF left = d[1] - d[3];
    const VecF right = d[5] - d[3];
    const VecF odd2 = multiply_add(0.5f, left, 2.0f * right);
    const VecF odd3 = multiply_add(2.0f, left, 0.5f * right);
    out[0] = multiply_add(5.25f, d[4] - d[2], d[0] - d[6]);
    out[stride] = even1 + odd1;
    out[2 * stride] = even1 - odd1;
    out[3 * stride] = even2 + odd2;
    out[4 * stride] = even2 - odd2;
    out[5 * stride] = even3 + odd3;
    out[6 * stride] = even3 - odd3;
    out[7 * stride] = multiply_add(5.25f, d[3] - d[5], d[7] - d[1]);
  }
}

// out[0], out[stride], ... = A^T in
template <int M>
IMPASTO_INLINE void output_transform(const VecF* m, VecF* out, int stride) {
  const VecF sum1 = m[1] + m[2];
  const VecF difference1 = m[1] - m[2];
  if constexpr (M == 2) {
    out[0] = m[0] + sum1;
    out[stride] = difference1 + m[3];
  } else {
    const VecF sum2 = m[3] + m[4];
    const VecF difference2 = m[3] - m[4];
    if constexpr (M == 4) {
      out[0] = m[0] + sum1 + sum2;
      out[stride] = multiply_add(2.0f, difference2, difference1);
      out[2 * stride] = multiply_add(4.0f, sum2, sum1);
      out[3 * stride] = multiply_add(8.0f, difference2, difference1) + m[5];
    } else {
      static_assert(M == 6);
      const VecF sum3 = m[5] + m[6];
      const VecF difference3 = m[5] - m[6];
      out[0] = m[0] + sum1 + (sum2 + sum3);
      out[stride] = multiply_add(0.5f, difference3, multiply_add(2.0f, difference2, difference1));
      out[2 * stride] = multiply_add(0.25f, sum3, multiply_add(4.0f, sum2, sum1));
      out[3 * stride] = multiply_add(0.125f, difference3, multiply_add(8.0f, difference2, difference1));
      out[4 * stride] = multiply_add(0.0625f, sum3, multiply_add(16.0f, sum2, sum1));
      out[5 * stride] = multiply_add(0.03125f, difference3, multiply_add(32.0f, difference2, difference1)) + m[7];
    }
  }
}

// out[0], out[stride], ... = G in
template <int M>
IMPASTO_INLINE void filter_transform(VecF g0, VecF g1, VecF g2, VecF* out, int stride) {
  const VecF ends = g0 + g2;
  const float scale = M == 2 ? 0.5f : -2.0f / 9;
  out[0] = g0;
  out[stride] = scale * (ends + g1);
  out[2 * stride] = scale * (ends - g1);
  if constexpr (M >= 4) {
    const VecF even2 = multiply_add(4.0f, g2, g0);
    out[3 * stride] = (1.0f / 90) * multiply_add(2.0f, g1, even2);
    out[4 * stride] = (1.0f / 90) * multiply_add(-2.0f, g1, even2);
  }
  if constexpr (M == 6) {
    const VecF even3 = multiply_add(4.0f, g0, g2);
    out[5 * stride] = (8.0f / 45) * multiply_add(2.0f, g1, even3);
    out[6 * stride] = (8.0f / 45) * multiply_add(-2.0f, g1, even3);
  }
  out[(M + 1) * stride] = g2;
}

}  // namespace impasto::cpu::IMPASTO_ISA
