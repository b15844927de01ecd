// Winograd: the products, and from them back to the output plane with bias, ReLU, pooling and masks.
#include "kernels/cpu/conv_target.h"
#include "kernels/cpu/register_product.h"
#include "kernels/cpu/winograd_kernels.h"
#include "kernels/cpu/winograd_transforms.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// Fetches the lines of the plane that the tile at y0, x0 will be written to into the second-level cache.
template <int M, bool kPools>
IMPASTO_INLINE void prefetch_tile(const Target& target, std::int64_t y0, std::int64_t x0) {
  constexpr int kShrink = kPools ? 2 : 1;
  constexpr int kSide = M / kShrink;
  const std::int64_t width = target.w / kShrink;
  const std::int64_t rows = smaller_of<std::int64_t>(kSide, target.h / kShrink - y0 / kShrink);
  const float* at = target.out + (y0 / kShrink * width + x0 / kShrink) * kBlock;
  for (std::int64_t y = 0; y < rows; ++y) {
#pragma GCC unroll 6
    for (int x = 0; x < kSide; ++x) __builtin_prefetch(at + (y * width + x) * kBlock, 1, 2);
  }
}

// The same for tiles first .. last - 1 of a group's output channels.
template <int M>
void prefetch_tiles(const ConvJob& job, int group, std::int64_t first, std::int64_t last) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const bool pools = job.pools();
  const int last_block = smaller_of((group + 1) * kGroupBlocks, job.out_blocks);
  for (std::int64_t tile = first; tile < last; ++tile) {
    const std::int64_t y0 = tile / job.tiles_x * M;
    const std::int64_t x0 = tile % job.tiles_x * M;
    for (int block = group * kGroupBlocks; block < last_block; ++block) {
      const Target target = target_of(job, block);
      if (pools) {
        prefetch_tile<M, true>(target, y0, x0);
      } else {
        prefetch_tile<M, false>(target, y0, x0);
      }
    }
  }
}

void prefetch_output(const ConvJob& job, int group, std::int64_t first, std::int64_t last) {
  switch (job.tile) {
    case 2:
      return prefetch_tiles<2>(job, group, first, last);
    case 4:
      return prefetch_tiles<4>(job, group, first, last);
    default:
      return prefetch_tiles<6>(job, group, first, last);
  }
}

// The transform along rows of what the one along columns left, and where it goes.
template <int M, Epilogue kEpilogue, bool kWhole>
IMPASTO_INLINE void finish_tile(const VecF* columns, VecF bias, const Target& target, std::int64_t y0, std::int64_t x0, int part) {
  constexpr bool kRows = kEpilogue == Epilogue::kNone || kEpilogue == Epilogue::kRelu;
  // Rows that wait for one another stay in memory, single ones in registers.
  VecF tile[kRows ? M : M * M];
#pragma GCC unroll 1
  for (int y = 0; y < M; ++y) {
    VecF* row = kRows ? tile : tile + y * M;
    output_transform<M>(columns + y * kTaps<M>, row, 1);
#pragma GCC unroll 6
    for (int x = 0; x < M; ++x) row[x] += bias;
    if constexpr (kRows) write_row<M, kEpilogue == Epilogue::kRelu, kWhole>(row, target, y0 + y, x0, part);
  }
  if constexpr (!kRows) write_tile<M, kEpilogue, kWhole>(tile, target, y0, x0, part);
}

template <int M, Epilogue kEpilogue>
void output_tiles(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m) {
  constexpr int kA = kTaps<M>;
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int blocks = smaller_of(kGroupBlocks, job.out_blocks - group * kGroupBlocks);
  for (int b = 0; b < blocks; ++b) {
    const int block = group * kGroupBlocks + b;
    const Target target = target_of(job, block);
    for (int part = 0; part < kParts; ++part) {
      const float* products = m.data + b * m.capacity * kBlock + part * kLanes;
      const VecF bias = job.bias == nullptr ? VecF{} : load(job.bias + block * kBlock + part * kLanes);
      std::int64_t ty = first / job.tiles_x;
      std::int64_t tx = first % job.tiles_x;
      for (std::int64_t i = 0; i < count; ++i, products += kBlock) {
        VecF columns[M * kA];
#pragma GCC unroll 1
        for (int x = 0; x < kA; ++x) {
          VecF d[kA];
#pragma GCC unroll 8
          for (int y = 0; y < kA; ++y) d[y] = load(products + (y * kA + x) * m.position);
          output_transform<M>(d, columns + x, kA);
        }
        const std::int64_t y0 = ty * M;
        const std::int64_t x0 = tx * M;
        if (y0 + M <= job.h && x0 + M <= job.w) {
          finish_tile<M, kEpilogue, true>(columns, bias, target, y0, x0, part);
        } else {
          finish_tile<M, kEpilogue, false>(columns, bias, target, y0, x0, part);
        }
        if (++tx == job.tiles_x) {
          tx = 0;
          ++ty;
        }
      }
    }
  }
}

template <int M>
void output_tiles_of(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m) {
  switch (job.epilogue) {
    case Epilogue::kNone:
      return output_tiles<M, Epilogue::kNone>(job, group, first, count, m);
    case Epilogue::kRelu:
      return output_tiles<M, Epilogue::kRelu>(job, group, first, count, m);
    case Epilogue::kReluMaxPool:
      return output_tiles<M, Epilogue::kReluMaxPool>(job, group, first, count, m);
    case Epilogue::kReluAveragePool:
      return output_tiles<M, Epilogue::kReluAveragePool>(job, group, first, count, m);
  }
}

}  // namespace

void winograd_products(const ConvJob& job, int group, const float* u, const InputTiles& v, const ProductTiles& m, std::int64_t first,
                       std::int64_t count) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int columns = smaller_of(kGroupBlocks, job.out_blocks - group * kGroupBlocks) * kBlock;
  const int positions = (job.tile + 2) * (job.tile + 2);
  const ProductStrides strides{v.capacity * kBlock, m.capacity * kBlock};
  const std::int64_t u_position = filter_position(job.in_blocks, columns);
  for (int p = 0; p < positions; ++p) {
    const float* filters = u + p * u_position;
    // Stores alone do not make the processor fetch ahead: the 31 MB of conv1_2's gradient, 22 -> 15 Mcycles for the stage.
    prefetch_output(job, group, first + count * p / positions, first + count * (p + 1) / positions);
    product_rows<false>(count, columns, v.data + p * v.position, job.in_blocks, filters, filters + u_position, m.data + p * m.position,
                        strides);
  }
}

void winograd_output(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m) {
  switch (job.tile) {
    case 2:
      return output_tiles_of<2>(job, group, first, count, m);
    case 4:
      return output_tiles_of<4>(job, group, first, count, m);
    default:
      return output_tiles_of<6>(job, group, first, count, m);
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
