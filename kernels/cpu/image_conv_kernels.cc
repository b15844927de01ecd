// Convolutions that read a picture: 3 input channels are too few for Winograd, whose transforms would cost more than they save.
#include "kernels/cpu/image_conv_kernels.h"

#include "kernels/cpu/register_product.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// Sums of kRows pixels, each kVectors of outputs: the register product's shape, the pixels read where they overlap.
template <int kVectors>
IMPASTO_INLINE void pixels_of_row(const float* rows, std::int64_t padded_w, const float* filters, const float* bias,
                                  VecF (&sum)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) sum[i][j] = load(bias + j * kLanes);
  }
  for (int line = 0; line < 9; ++line) {
    const float* row = rows + line * padded_w;
#pragma GCC unroll 1
    for (int kx = 0; kx < 3; ++kx) {
      VecF w[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) w[j] = load(filters + j * kLanes);
      filters += kVectors * kLanes;
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const VecF x = broadcast(row[kx + i]);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[i][j] = multiply_add(x, w[j], sum[i][j]);
      }
    }
  }
}

template <int kVectors, bool kPastCache>
void group_of_row(const float* rows, std::int64_t padded_w, int w, const float* filters, const float* bias, bool rectify, float* out,
                  std::uint16_t* mask, std::int64_t out_plane) {
  for (int x = 0; x < w; x += kRows) {
    VecF sum[kRows][kVectors];
    pixels_of_row<kVectors>(rows + x, padded_w, filters, bias, sum);
    const int count = smaller_of(kRows, w - x);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      if (i >= count) break;
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        const int part = j % kParts;
        const std::int64_t pixel = j / kParts * out_plane + x + i;
        const VecF v = rectify ? rectified(sum[i][j]) : sum[i][j];
        float* to = out + pixel * kBlock + part * kLanes;
        if constexpr (kPastCache) {
          store_past_cache(to, v);
        } else {
          store(to, v);
        }
        if (mask != nullptr) store_bits(mask + pixel, part, greater_bits(v, VecF{}));
      }
    }
  }
}

}  // namespace

void image_conv_row(const float* rows, std::int64_t padded_w, int w, const float* filters, const float* bias, int out_blocks, bool rectify,
                    bool past_cache, float* out, std::uint16_t* mask, std::int64_t out_plane) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  for (int block = 0; block < out_blocks; block += kGroupBlocks) {
    const float* taps = filters + std::int64_t{block} * kImageInputs * kBlock;
    float* to = out + block * out_plane * kBlock;
    std::uint16_t* bits = mask == nullptr ? nullptr : mask + block * out_plane;
    const bool whole = out_blocks - block >= kGroupBlocks;
    const auto group = past_cache ? (whole ? group_of_row<kColumns / kLanes, true> : group_of_row<kParts, true>)
                                  : (whole ? group_of_row<kColumns / kLanes, false> : group_of_row<kParts, false>);
    group(rows, padded_w, w, taps, bias + block * kBlock, rectify, to, bits, out_plane);
  }
  if (past_cache) finish_past_cache();
}

void image_gradient_products(const float* grad, const std::uint16_t* mask, std::int64_t plane, int w, int blocks, const float* filters,
                             float* scratch, float* products, std::int64_t padded_w) {
  constexpr int kGroups = kImageTaps / kColumns;
  alignas(64) float part_products[kImageTaps * kImageSegment];
  for (int x0 = 0; x0 < w; x0 += kImageSegment) {
    const int count = smaller_of(kImageSegment, w - x0);
    for (int b = 0; b < blocks; ++b) {
      for (int x = 0; x < count; ++x) {
        for (int part = 0; part < kParts; ++part) {
          const std::int64_t pixel = b * plane + x0 + x;
          VecF v = load(grad + pixel * kBlock + part * kLanes);
          if (mask != nullptr) v = where_set(mask[pixel], part, v);
          store(scratch + (b * kImageSegment + x) * kBlock + part * kLanes, v);
        }
      }
    }
    // Zeros up to the next multiple of kLanes: what lies right of the row is read as its border.
    for (int block = 0; block < kImageTaps / kBlock; ++block) {
      for (int x = count; x % kLanes != 0; ++x) {
        for (int part = 0; part < kParts; ++part) store(part_products + (block * kImageSegment + x) * kBlock + part * kLanes, VecF{});
      }
    }
    for (int group = 0; group < kGroups; ++group) {
      const float* taps = filters + std::int64_t{group} * blocks * kBlock * kColumns;
      product_rows<false>(count, kColumns, scratch, blocks, taps, taps, part_products + group * kColumns * kImageSegment,
                          {kImageSegment * kBlock, kImageSegment * kBlock});
    }
    for (int x = 0; x < count; x += kLanes) {
      for (int tap = 0; tap < kImageTaps; tap += kLanes) {
        VecF square[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) {
          square[i] = load(part_products + ((tap / kBlock) * kImageSegment + x + i) * kBlock + tap % kBlock);
        }
        transpose(square);
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) store(products + (tap + i) * padded_w + 1 + x0 + x, square[i]);
      }
    }
  }
  for (int tap = 0; tap < kImageTaps; ++tap) products[tap * padded_w] = products[tap * padded_w + 1 + w] = 0.0f;
}

void image_gradient_row(const float* const products[3], std::int64_t padded_w, int channel, int w, float* out) {
  for (int x = 0; x < w; x += kLanes) {
    VecF sum{};
    for (int row = 0; row < 3; ++row) {
      if (products[row] == nullptr) continue;
      // Row y - 1 + row of the gradient meets the filter's row ky = 2 - row; column x + 1 - kx stands at index x + 2 - kx.
      const float* taps = products[row] + (channel * 9 + (2 - row) * 3) * padded_w + x;
      sum += (load(taps + 2) + load(taps + padded_w + 1)) + load(taps + 2 * padded_w);
    }
    if (x + kLanes <= w) {
      store(out + x, sum);
    } else {
      for (int i = 0; x + i < w; ++i) out[x + i] = sum[i];
    }
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
