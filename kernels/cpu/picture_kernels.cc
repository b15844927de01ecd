// Total variation and the smoothing of the "a trous" cascade, by rows of planar pictures.
#include "kernels/cpu/picture_kernels.h"

#include "kernels/cpu/mirrored.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

constexpr int kDoubles = kLanes / 2;

// [1 4 6 4 1] / 16, summed from both ends so that the operator is symmetric to the bit.
template <class T>
IMPASTO_INLINE T five_taps(T a, T b, T c, T d, T e) {
  return 0.0625f * ((a + e) + 4.0f * (b + d) + 6.0f * c);
}

// Elements i .. i + kLanes - 1 of the row, mirrored at its ends.
IMPASTO_INLINE VecF load_mirrored(const float* row, std::int64_t i, std::int64_t w) {
  if (i >= 0 && i + kLanes <= w) return load(row + i);
  // Wholly past one end, folded once: with wide steps most of a small picture's row.
  if (i + kLanes <= 0 && i >= -w) return reversed(load(row - i - kLanes));
  if (i >= w && i + kLanes <= 2 * w) return reversed(load(row + 2 * w - i - kLanes));
  alignas(64) float lanes[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = row[mirrored(i + lane, w)];
  return load(lanes);
}

}  // namespace

double variation_row(const float* row, const float* above, const float* below, int w, double scale, float* grad) {
  double total = 0;
  const auto pixel = [&](int x) {
    const double here = row[x];
    const double down = below != nullptr ? below[x] - here : 0.0;
    const double right = x + 1 < w ? row[x + 1] - here : 0.0;
    total += down * down + right * right;
    if (grad != nullptr) {
      const double up = above != nullptr ? here - above[x] : 0.0;
      const double left = x > 0 ? here - row[x - 1] : 0.0;
      grad[x] = static_cast<float>(grad[x] + scale * (up - down + left - right));
    }
  };
  pixel(0);
  int x = 1;
  VecD sum{};
  for (; x + kDoubles < w; x += kDoubles) {
    const VecD here = load_wide(row + x);
    const VecD down = below != nullptr ? load_wide(below + x) - here : VecD{};
    const VecD right = load_wide(row + x + 1) - here;
    sum += down * down + right * right;
    if (grad != nullptr) {
      const VecD up = above != nullptr ? here - load_wide(above + x) : VecD{};
      const VecD left = here - load_wide(row + x - 1);
      store_narrow(grad + x, load_wide(grad + x) + scale * (up - down + left - right));
    }
  }
  for (; x < w; ++x) pixel(x);
  for (int lane = 0; lane < kDoubles; ++lane) total += sum[lane];
  return total;
}

void smooth_along_row(const float* in, int w, int step, float* out, float gain, float* sum) {
  const std::int64_t near = step;
  const std::int64_t far = 2 * near;
  std::int64_t x = 0;
  for (; x + kLanes <= w; x += kLanes) {
    const VecF v = five_taps(load_mirrored(in, x - far, w), load_mirrored(in, x - near, w), load(in + x), load_mirrored(in, x + near, w),
                             load_mirrored(in, x + far, w));
    store(out + x, v);
    store(sum + x, multiply_add(gain, v, load(sum + x)));
  }
  for (; x < w; ++x) {
    out[x] = five_taps(in[mirrored(x - far, w)], in[mirrored(x - near, w)], in[x], in[mirrored(x + near, w)], in[mirrored(x + far, w)]);
    sum[x] += gain * out[x];
  }
}

void smooth_across_rows(const float* const rows[5], int w, float* out) {
  int x = 0;
  for (; x + kLanes <= w; x += kLanes) {
    store(out + x, five_taps(load(rows[0] + x), load(rows[1] + x), load(rows[2] + x), load(rows[3] + x), load(rows[4] + x)));
  }
  for (; x < w; ++x) out[x] = five_taps(rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x]);
}

}  // namespace impasto::cpu::IMPASTO_ISA
