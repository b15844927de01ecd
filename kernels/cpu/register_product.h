// The product at the bottom of everything: a few rows times a few vectors of columns, kept in registers over the whole inner dimension.
//
//   out[r][j] (+)= sum over channels i of in[r][i] * weight[i][j]
//
//   in      blocks of 16 channels: row r of block b at in + b * in_stride + 16 r
//   weight  (16 blocks, kVectors * kLanes), contiguous
//   out     blocks of 16 channels as in, out_stride apart
//
// Sizes per instruction set, from the number of vector registers R and the need of two weights' loads and one broadcast beside the
// accumulators; per inner step, kRows broadcasts and kVectors loads must not exceed the kRows * kVectors multiply-adds on a machine that
// does two of each in a cycle:
//   AVX-512  R = 32  14 rows x 32 columns: 28 accumulators, 16 loads for 28 multiply-adds
//   AVX2     R = 16   6 rows x 16 columns: 12 accumulators,  8 loads for 12
//   NEON     R = 32   6 rows x 16 columns: 24 accumulators, 10 loads for 24
//   SSE2     R = 16   3 rows x 16 columns: 12 accumulators,  7 loads for 12 multiplications and 12 additions
#pragma once

#include <cstddef>

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

#if defined(__AVX512F__)
inline constexpr int kRows = 14;
inline constexpr int kColumns = 32;
#elif defined(__AVX2__) || defined(__aarch64__)
inline constexpr int kRows = 6;
inline constexpr int kColumns = 16;
#else
inline constexpr int kRows = 3;
inline constexpr int kColumns = 16;
#endif

// Where __builtin_prefetch is to leave a line.
inline constexpr int kFirstLevel = 3;
inline constexpr int kSecondLevel = 2;

#if defined(__AVX512F__)
// Inner steps after which a product needs the weights that it fetches into the first-level cache; 0: it fetches none.
inline constexpr int kStepsAhead = 16;
// Blocks of input channels whose products are summed in registers; the sums of several such slices are added in memory. Here: of all.
inline constexpr int kSliceBlocks = 1 << 20;
#else
inline constexpr int kStepsAhead = 0;
// 128 channels, so that their weights, 8 KiB, stay in the first-level cache from one part of the rows to the next. (Fetching weights
// ahead instead, as above, was 10% slower on Zen 3.)
inline constexpr int kSliceBlocks = 8;
#endif

struct ProductStrides {
  std::ptrdiff_t in;
  std::ptrdiff_t out;
};

// Weights that the next product will need, to be fetched into the second-level cache meanwhile: `step` floats further on at each inner
// step.
struct Prefetch {
  const float* weight;
  std::ptrdiff_t step;
};

template <int kN, int kVectors, bool kAccumulate>
inline void product(const float* __restrict in, int in_blocks, const float* __restrict weight, float* __restrict out,
                    ProductStrides strides, Prefetch next) {
  VecF sum[kN][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kN; ++r) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      sum[r][j] = kAccumulate ? load(out + (j / kParts) * strides.out + r * kBlock + (j % kParts) * kLanes) : VecF{};
    }
  }
  for (int b = 0; b < in_blocks; ++b) {
    const float* row = in + b * strides.in;
#pragma GCC unroll 2
    for (int i = 0; i < kBlock; ++i) {
      VecF w[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) w[j] = load(weight + j * kLanes);
      if constexpr (kStepsAhead > 0) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; j += kParts) __builtin_prefetch(weight + (kStepsAhead * kVectors + j) * kLanes, 0, kFirstLevel);
      }
      weight += kVectors * kLanes;
      // One line of the rows' next block but one, which may come from memory; and one or two of the next weights. The processor foresees
      // neither, because both jump. Together they bring 512 channels from 80 to 155 GFLOP/s, 64 from 180 to 185.
      __builtin_prefetch(row + 2 * strides.in + i * kBlock);
      __builtin_prefetch(next.weight, 0, kSecondLevel);
      if (kVectors > kParts) __builtin_prefetch(next.weight + kBlock, 0, kSecondLevel);
      next.weight += next.step;
#pragma GCC unroll 16
      for (int r = 0; r < kN; ++r) {
        const VecF x = broadcast(row[r * kBlock + i]);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[r][j] = multiply_add(x, w[j], sum[r][j]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kN; ++r) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) store(out + (j / kParts) * strides.out + r * kBlock + (j % kParts) * kLanes, sum[r][j]);
  }
}

// The same for any number of rows up to kN.
template <int kN, int kVectors, bool kAccumulate>
inline void product_of(int rows, const float* in, int in_blocks, const float* weight, float* out, ProductStrides strides, Prefetch next) {
  if (rows == kN) {
    product<kN, kVectors, kAccumulate>(in, in_blocks, weight, out, strides, next);
  } else if constexpr (kN > 1) {
    product_of<kN - 1, kVectors, kAccumulate>(rows, in, in_blocks, weight, out, strides, next);
  }
}

// The same for any number of rows, cut into nearly equal parts, and `columns` (kColumns, or 16 where the last block of channels is alone).
// next_weight: what will be the weights after these, or anything.
template <bool kAccumulate>
inline void product_slice(std::int64_t rows, int columns, const float* in, int in_blocks, const float* weight, const float* next_weight,
                          float* out, ProductStrides strides) {
  const std::int64_t parts = (rows + kRows - 1) / kRows;
  const std::int64_t steps = std::int64_t{in_blocks} * kBlock;
  std::int64_t first = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t last = rows * (part + 1) / parts;
    const int count = static_cast<int>(last - first);
    // Each part fetches its share of the next weights.
    const Prefetch next{next_weight + part * steps * columns / parts, columns / parts};
    if (columns == kColumns) {
      product_of<kRows, kColumns / kLanes, kAccumulate>(count, in + first * kBlock, in_blocks, weight, out + first * kBlock, strides, next);
    } else {
      product_of<kRows, kParts, kAccumulate>(count, in + first * kBlock, in_blocks, weight, out + first * kBlock, strides, next);
    }
    first = last;
  }
}

// The same for any number of input channels, cut into slices of kSliceBlocks.
template <bool kAccumulate>
inline void product_rows(std::int64_t rows, int columns, const float* in, int in_blocks, const float* weight, const float* next_weight,
                         float* out, ProductStrides strides) {
  for (int first = 0; first < in_blocks; first += kSliceBlocks) {
    const int blocks = smaller_of(kSliceBlocks, in_blocks - first);
    const float* after = weight + blocks * kBlock * columns;
    const float* next = first + blocks < in_blocks ? after : next_weight;
    if (kAccumulate || first > 0) {
      product_slice<true>(rows, columns, in, blocks, weight, next, out, strides);
    } else {
      product_slice<false>(rows, columns, in, blocks, weight, next, out, strides);
    }
    in += blocks * strides.in;
    weight = after;
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
