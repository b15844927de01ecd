// Winograd: the products, and from them back to the output plane with bias, ReLU, pooling and masks.
#include "kernels/cpu/conv_target.h"
#include "kernels/cpu/register_product.h"
#include "kernels/cpu/tile_runs.h"
#include "kernels/cpu/winograd_kernels.h"
#include "kernels/cpu/winograd_transforms.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// Fetches the lines of the plane that `count` tiles of H x W side by side will be written to into the second-level cache.
template <int H, int W>
void prefetch_run(const Target& target, bool pools, std::int64_t y0, std::int64_t x0, std::int64_t count) {
  const std::int64_t shrink = pools ? 2 : 1;
  const std::int64_t width = target.w / shrink;
  const std::int64_t last_row = smaller_of<std::int64_t>(y0 + H, target.h) / shrink;
  const std::int64_t last = smaller_of<std::int64_t>(x0 + count * W, target.w) / shrink;
  for (std::int64_t y = y0 / shrink; y < last_row; ++y) {
    for (std::int64_t x = x0 / shrink; x < last; ++x) __builtin_prefetch(target.out + (y * width + x) * kBlock, 1, 2);
  }
}

// The same for tiles first .. last - 1 of a group's output channels.
void prefetch_output(const ConvJob& job, int group, std::int64_t first, std::int64_t last) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int last_block = smaller_of((group + 1) * kGroupBlocks, job.out_blocks);
  for_each_run(job.grid, first, last, [&](auto h, auto w, const TilePlace& place, std::int64_t, std::int64_t count) {
    for (int block = group * kGroupBlocks; block < last_block; ++block) {
      prefetch_run<h, w>(target_of(job, block), job.pools(), place.y0, place.x0, count);
    }
  });
}

// The transform along rows of what the one along columns left, and where it goes.
template <int H, int W, Epilogue kEpilogue, bool kWhole>
IMPASTO_INLINE void finish_tile(const VecF (&columns)[kParts][H * kTaps<W>], const VecF* bias, const Target& target, std::int64_t y0,
                                std::int64_t x0) {
  if constexpr (kEpilogue == Epilogue::kNone || kEpilogue == Epilogue::kRelu) {
    // Rows go to the plane from registers.
#pragma GCC unroll 1
    for (int y = 0; y < H; ++y) {
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) {
        VecF row[W];
        output_transform<W>(columns[part] + y * kTaps<W>, row, 1);
#pragma GCC unroll 6
        for (int x = 0; x < W; ++x) row[x] += bias[part];
        write_row<W, kEpilogue == Epilogue::kRelu, kWhole>(row, target, y0 + y, x0, part);
      }
    }
  } else {
#pragma GCC unroll 1
    for (int part = 0; part < kParts; ++part) {
      VecF tile[H * W];
#pragma GCC unroll 1
      for (int y = 0; y < H; ++y) {
        output_transform<W>(columns[part] + y * kTaps<W>, tile + y * W, 1);
#pragma GCC unroll 6
        for (int x = 0; x < W; ++x) tile[y * W + x] += bias[part];
      }
      write_tile<H, W, kEpilogue, kWhole>(tile, target, y0, x0, part);
    }
  }
}

// `count` tiles of H x W side by side, of one block. products: the first one's, at positions `taps` a row and `stride` apart; bias: of the
// block, or nullptr for none.
template <int H, int W, Epilogue kEpilogue>
void output_tiles(const float* products, int taps, std::int64_t stride, const float* bias, const Target& target, const TilePlace& place,
                  std::int64_t count) {
  constexpr int kDown = kTaps<H>;
  constexpr int kAcross = kTaps<W>;
  std::int64_t down[kDown];
  std::int64_t across[kAcross];
  for (int i = 0; i < kDown; ++i) down[i] = point_of<H>(i, taps) * taps * stride;
  for (int i = 0; i < kAcross; ++i) across[i] = point_of<W>(i, taps) * stride;
  VecF biases[kParts]{};
  if (bias != nullptr) {
    for (int part = 0; part < kParts; ++part) biases[part] = load(bias + part * kLanes);
  }
  std::int64_t x0 = place.x0;
  for (std::int64_t i = 0; i < count; ++i, x0 += W, products += kBlock) {
    VecF columns[kParts][H * kAcross];
#pragma GCC unroll 1
    for (int x = 0; x < kAcross; ++x) {
      const float* column = products + across[x];
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) {
        VecF d[kDown];
#pragma GCC unroll 8
        for (int y = 0; y < kDown; ++y) d[y] = load(column + down[y] + part * kLanes);
        output_transform<H>(d, columns[part] + x, kAcross);
      }
    }
    if (place.y0 + H <= target.h && x0 + W <= target.w) {
      finish_tile<H, W, kEpilogue, true>(columns, biases, target, place.y0, x0);
    } else {
      finish_tile<H, W, kEpilogue, false>(columns, biases, target, place.y0, x0);
    }
  }
}

template <Epilogue kEpilogue>
void output_tiles_to(const ConvJob& job, int group, std::int64_t first, std::int64_t last, const ProductTiles& m) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int blocks = smaller_of(kGroupBlocks, job.out_blocks - group * kGroupBlocks);
  for (int b = 0; b < blocks; ++b) {
    const int block = group * kGroupBlocks + b;
    const Target target = target_of(job, block);
    const float* products = m.data + b * m.capacity * kBlock;
    const float* bias = job.bias == nullptr ? nullptr : job.bias + block * kBlock;
    for_each_run(job.grid, first, last, [&](auto h, auto w, const TilePlace& place, std::int64_t tile, std::int64_t count) {
      output_tiles<h, w, kEpilogue>(products + (tile - first) * kBlock, job.grid.taps(), m.position, bias, target, place, count);
    });
  }
}

}  // namespace

void winograd_products(const ConvJob& job, int group, const float* u, const InputTiles& v, const ProductTiles& m, std::int64_t first,
                       std::int64_t count) {
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int columns = smaller_of(kGroupBlocks, job.out_blocks - group * kGroupBlocks) * kBlock;
  const int positions = job.grid.positions();
  const ProductStrides strides{v.capacity * kBlock, m.capacity * kBlock};
  const std::int64_t u_position = filter_position(job.in_blocks, columns);
  for (int p = 0; p < positions; ++p) {
    const float* filters = u + p * u_position;
    // Stores alone do not make the processor fetch ahead: the 31 MB of conv1_2's gradient, 22 -> 15 Mcycles for the stage.
    prefetch_output(job, group, first + count * p / positions, first + count * (p + 1) / positions);
    const TileRange tiles = taking_part(job.grid, p, first, first + count);
    if (tiles.first >= tiles.last) continue;
    const std::int64_t skipped = (tiles.first - first) * kBlock;
    product_rows<false>(tiles.last - tiles.first, columns, v.data + p * v.position + skipped, job.in_blocks, filters, filters + u_position,
                        m.data + p * m.position + skipped, strides);
  }
}

void winograd_output(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m) {
  switch (job.epilogue) {
    case Epilogue::kNone:
      return output_tiles_to<Epilogue::kNone>(job, group, first, first + count, m);
    case Epilogue::kRelu:
      return output_tiles_to<Epilogue::kRelu>(job, group, first, first + count, m);
    case Epilogue::kReluMaxPool:
      return output_tiles_to<Epilogue::kReluMaxPool>(job, group, first, first + count, m);
    case Epilogue::kReluAveragePool:
      return output_tiles_to<Epilogue::kReluAveragePool>(job, group, first, first + count, m);
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
