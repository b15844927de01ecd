// What a convolution reads, for one instruction set: a plane, or what its mask lets through, or a pooled plane put back in place (Source).
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

// One block of channels of the source: its values, its mask, and how far apart their rows are.
struct SourceBlock {
  const float* values;
  const std::uint16_t* mask;
  std::int64_t value_width;
  std::int64_t mask_width;
};

template <Source kSource>
constexpr bool kPooled = kSource == Source::kMaxUnpooled || kSource == Source::kAverageUnpooled;

// One part of what stands at `value`, of which `mask`'s word for `pixel` lets through what it says.
template <Source kSource>
IMPASTO_INLINE VecF source_value(const float* value, const std::uint16_t* mask, std::int64_t pixel, int part) {
  const VecF v = load(value);
  if constexpr (kSource == Source::kPlain) {
    return v;
  } else {
    const VecF kept = where_set(mask[pixel], part, v);
    return kSource == Source::kAverageUnpooled ? 0.25f * kept : kept;
  }
}

// All blocks of it.
struct SourcePlane {
  const float* values;
  const std::uint16_t* mask;
  std::int64_t value_width;
  std::int64_t value_height;
  std::int64_t h;
  std::int64_t w;
  // Past these, a pooled source has no value: an odd last row or column went into no window.
  std::int64_t y_end;
  std::int64_t x_end;

  SourceBlock block(int b) const {
    return {values + b * value_height * value_width * kBlock, mask == nullptr ? nullptr : mask + b * h * w, value_width, w};
  }
};

template <Source kSource>
SourcePlane source_plane(const ConvJob& job) {
  SourcePlane plane{job.in, kSource == Source::kPlain ? nullptr : job.in_mask, job.w, job.h, job.h, job.w, job.h, job.w};
  if (kPooled<kSource>) {
    plane.value_width /= 2;
    plane.value_height /= 2;
    plane.x_end = 2 * plane.value_width;
    plane.y_end = 2 * plane.value_height;
  }
  return plane;
}

// patch (rows, columns, 16): the values from y0, x0 on, 0 outside the plane.
template <Source kSource>
void gather_patch(const SourcePlane& plane, const SourceBlock& block, std::int64_t y0, std::int64_t x0, int rows, int columns,
                  float* patch) {
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const std::int64_t row = y0 + y;
      const std::int64_t column = x0 + x;
      const bool inside = row >= 0 && row < plane.y_end && column >= 0 && column < plane.x_end;
      for (int part = 0; part < kParts; ++part) {
        VecF v{};
        if (inside) {
          const std::int64_t value = kPooled<kSource> ? row / 2 * block.value_width + column / 2 : row * block.value_width + column;
          v = source_value<kSource>(block.values + value * kBlock + part * kLanes, block.mask, row * block.mask_width + column, part);
        }
        store(patch + (std::int64_t{y} * columns + x) * kBlock + part * kLanes, v);
      }
    }
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
