// What a convolution writes, for one instruction set: ReLU, pooling and masks on the way.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/max_pooling.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

// One block of output channels: the planes it goes to.
struct Target {
  float* out;
  std::uint16_t* mask;
  std::int64_t h;
  std::int64_t w;
};

inline Target target_of(const ConvJob& job, int block) {
  const std::int64_t plane = std::int64_t{job.h} * job.w;
  const std::int64_t out_plane = job.pools() ? std::int64_t{job.h / 2} * (job.w / 2) : plane;
  return {job.out + block * out_plane * kBlock, job.out_mask == nullptr ? nullptr : job.out_mask + block * plane, job.h, job.w};
}

// Columns 0 .. W - 1 of a tile's row at y, x0 for one part of the block, without pooling; kWhole: they lie inside the plane.
template <int W, bool kRelu, bool kWhole>
IMPASTO_INLINE void write_row(const VecF* row, const Target& target, std::int64_t y, std::int64_t x0, int part) {
  if (!kWhole && y >= target.h) return;
#pragma GCC unroll 6
  for (int x = 0; x < W; ++x) {
    if (!kWhole && x0 + x >= target.w) break;
    const std::int64_t pixel = y * target.w + x0 + x;
    VecF v = row[x];
    if constexpr (kRelu) {
      v = rectified(v);
      if (target.mask != nullptr) store_bits(target.mask + pixel, part, greater_bits(v, VecF{}));
    }
    store(target.out + pixel * kBlock + part * kLanes, v);
  }
}

// A tile's H x W values at y0, x0 for one part of the block, epilogue applied. kWhole: the tile lies inside the plane. kTies: values that
// rounding may have told apart count as equal (max_pooling.h).
template <int H, int W, Epilogue kEpilogue, bool kWhole, bool kTies = true>
IMPASTO_INLINE void write_tile(const VecF* tile, const Target& target, std::int64_t y0, std::int64_t x0, int part) {
  if constexpr (kEpilogue == Epilogue::kNone || kEpilogue == Epilogue::kRelu) {
#pragma GCC unroll 6
    for (int y = 0; y < H; ++y) write_row<W, kEpilogue == Epilogue::kRelu, kWhole>(tile + y * W, target, y0 + y, x0, part);
  } else {
    const std::int64_t pooled_h = target.h / 2;
    const std::int64_t pooled_w = target.w / 2;
    VecF bound{};
    if constexpr (kEpilogue == Epilogue::kReluMaxPool && kTies) {
      // Two maxima, so that one need not wait for the other.
      VecF other{};
#pragma GCC unroll 18
      for (int i = 0; i < H * W; i += 2) {
        bound = larger(bound, magnitude(tile[i]));
        other = larger(other, magnitude(tile[i + 1]));
      }
      bound = broadcast(kTie * largest_lane(larger(bound, other)));
    }
#pragma GCC unroll 3
    for (int y = 0; y < H; y += 2) {
#pragma GCC unroll 3
      for (int x = 0; x < W; x += 2) {
        const std::int64_t row = (y0 + y) / 2;
        const std::int64_t column = (x0 + x) / 2;
        if (!kWhole && (row >= pooled_h || column >= pooled_w)) continue;
        Window window{tile[y * W + x], tile[y * W + x + 1], tile[(y + 1) * W + x], tile[(y + 1) * W + x + 1]};
        if constexpr (kEpilogue == Epilogue::kReluMaxPool && kTies) window = with_ties(window, bound);
        window = {rectified(window.v00), rectified(window.v01), rectified(window.v10), rectified(window.v11)};
        std::uint16_t* mask = target.mask == nullptr ? nullptr : target.mask + (y0 + y) * target.w + x0 + x;
        VecF pooled;
        if constexpr (kEpilogue == Epilogue::kReluMaxPool) {
          pooled = pool_max(window);
          if (mask != nullptr) record_max(window, pooled, greater_bits(pooled, VecF{}), mask, target.w, part);
        } else {
          pooled = pool_average(window);
          if (mask != nullptr) {
            store_bits(mask, part, greater_bits(window.v00, VecF{}));
            store_bits(mask + 1, part, greater_bits(window.v01, VecF{}));
            store_bits(mask + target.w, part, greater_bits(window.v10, VecF{}));
            store_bits(mask + target.w + 1, part, greater_bits(window.v11, VecF{}));
          }
        }
        store(target.out + (row * pooled_w + column) * kBlock + part * kLanes, pooled);
      }
    }
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
