// Gram matrices and their gradient.
#include "kernels/cpu/gram_kernels.h"

#include "kernels/cpu/register_product.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// A block of 16 rows is multiplied in passes of nearly equal shares: against a whole group of columns in as few as the registers allow, and
// in one against one block of them, where that is half a group.
constexpr int kGroupPasses = (kBlock + kRows - 1) / kRows;
constexpr int kNarrowPasses = kColumns == kBlock ? kGroupPasses : 1;
// Pixels summed in float before they join the double sums: float rounding stays near 1e-6 for any picture, and F of one group of columns
// and one block of rows stays in L1 meanwhile, in at most 24 KiB of it.
constexpr std::int64_t kRun = 128;
static_assert(kRun * (kColumns + kBlock) * sizeof(float) <= 24 << 10);

template <int kPasses, int kVectors, int kPass = 0>
void gram_run(const float* f, std::int64_t plane, int block, int column_block, std::int64_t first, std::int64_t last,
              std::int64_t row_length, double* sums) {
  constexpr int kFirst = kBlock * kPass / kPasses;
  constexpr int kN = kBlock * (kPass + 1) / kPasses - kFirst;
  const float* columns = f + column_block * plane * kBlock;
  const float* rows = f + block * plane * kBlock + kFirst;
  VecF sum[kN][kVectors]{};
#pragma GCC unroll 2
  for (std::int64_t p = first; p < last; ++p) {
    VecF v[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) v[j] = load(columns + ((j / kParts) * plane + p) * kBlock + (j % kParts) * kLanes);
    // Into L2, for the next run; every block of channels passes here as rows.
    if constexpr (kPass == 0) __builtin_prefetch(rows + (p + kRun) * kBlock, 0, kSecondLevel);
#pragma GCC unroll 16
    for (int r = 0; r < kN; ++r) {
      const VecF x = broadcast(rows[p * kBlock + r]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[r][j] = multiply_add(x, v[j], sum[r][j]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kN; ++r) {
    double* to = sums + (block * kBlock + kFirst + r) * row_length + column_block * kBlock;
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      alignas(64) float lanes[kLanes];
      store(lanes, sum[r][j]);
      for (int half = 0; half < kLanes; half += kLanes / 2) {
        double* at = to + j * kLanes + half;
        store_double(at, load_double(at) + load_wide(lanes + half));
      }
    }
  }
  if constexpr (kPass + 1 < kPasses) {
    gram_run<kPasses, kVectors, kPass + 1>(f, plane, block, column_block, first, last, row_length, sums);
  }
}

}  // namespace

void gram_group(const float* f, std::int64_t plane, int blocks, int group, std::int64_t first, std::int64_t last, double* sums) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int column_block = group * kGroupBlocks;
  const int column_blocks = smaller_of(kGroupBlocks, blocks - column_block);
  const std::int64_t row_length = std::int64_t{blocks} * kBlock;
  for (std::int64_t run = first; run < last; run += kRun) {
    const std::int64_t end = smaller_of(run + kRun, last);
    for (int block = 0; block < column_block + column_blocks; ++block) {
      if (column_blocks < kGroupBlocks) {
        gram_run<kNarrowPasses, kParts>(f, plane, block, column_block, run, end, row_length, sums);
      } else if (block > column_block) {
        // Below the diagonal but for the last block of columns.
        gram_run<kNarrowPasses, kParts>(f, plane, block, block, run, end, row_length, sums);
      } else {
        gram_run<kGroupPasses, kColumns / kLanes>(f, plane, block, column_block, run, end, row_length, sums);
      }
    }
  }
}

void gram_gradient(const float* f, std::int64_t plane, int blocks, const float* packed, std::int64_t first, std::int64_t last,
                   float* grad_f) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  for (int block = 0; block < blocks; block += kGroupBlocks) {
    const int columns = smaller_of(kGroupBlocks, blocks - block) * kBlock;
    const float* weights = packed + std::int64_t{block} * kBlock * blocks * kBlock;
    product_rows<true>(last - first, columns, f + first * kBlock, blocks, weights, weights + std::int64_t{blocks} * kBlock * columns,
                       grad_f + (block * plane + first) * kBlock, {plane * kBlock, plane * kBlock});
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
