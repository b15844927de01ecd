// Winograd: from the plane of the source to transformed tiles, and from packed filters to transformed filters.
#include "kernels/cpu/conv_source.h"
#include "kernels/cpu/register_product.h"
#include "kernels/cpu/tile_runs.h"
#include "kernels/cpu/winograd_kernels.h"
#include "kernels/cpu/winograd_transforms.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// Stores that miss L1 wait for their line, some 15 cycles each from L2, and a transform writes to as many lines as it has positions. So
// each fetches the lines that the next one will write: filters of 256 channels 5.4 -> 4.1 Mcycles a layer, inputs of 512 channels 3.5
// -> 2.2.
IMPASTO_INLINE void prefetch_to_write(const float* p) { __builtin_prefetch(p, 1, 3); }

// What `i` pixels further on is further on in the source: a tile's input begins at odd pixels (tiles start at even ones, minus the border
// of one), so in a pooled plane its second and third pixel share a value.
template <Source kSource>
constexpr int source_step(int i) {
  return kPooled<kSource> ? (i + 1) / 2 : i;
}

// Writes B^T d B of the tile of H x W whose input starts at y0, x0 to out + down[i] + across[j] for point i, j; the next tile's follow
// kBlock floats further on. Both ways of a line's parts at once, so that addresses are formed once.
template <int H, int W, Source kSource>
IMPASTO_INLINE void transform_tile(const SourceBlock& block, std::int64_t y0, std::int64_t x0, float* out, const std::int64_t* down,
                                   const std::int64_t* across) {
  constexpr int kDown = kTaps<H>;
  constexpr int kAcross = kTaps<W>;
  constexpr int kHalf = kPooled<kSource> ? 1 : 0;
  const float* values[kDown];
  const std::uint16_t* masks[kDown];
  for (int y = 0; y < kDown; ++y) {
    values[y] = block.values + (((y0 >> kHalf) + source_step<kSource>(y)) * block.value_width + (x0 >> kHalf)) * kBlock;
    masks[y] = kSource == Source::kPlain ? nullptr : block.mask + (y0 + y) * block.mask_width + x0;
  }
  VecF columns[kParts][kDown * kAcross];
#pragma GCC unroll 1
  for (int x = 0; x < kAcross; ++x) {
    const std::int64_t value = source_step<kSource>(x) * kBlock;
    VecF d[kParts][kDown];
#pragma GCC unroll 8
    for (int y = 0; y < kDown; ++y) {
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) d[part][y] = source_value<kSource>(values[y] + value + part * kLanes, masks[y], x, part);
      // The tile after the next reads as far to the right; past the row's end it is what stands there.
      if (!kPooled<kSource> || (x % 2 == 1 && y % 2 == 1))
        __builtin_prefetch(values[y] + value + (kPooled<kSource> ? W : 2 * W) * kBlock, 0, 3);
    }
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) input_transform<H>(d[part], columns[part] + x, kAcross);
  }
#pragma GCC unroll 1
  for (int y = 0; y < kDown; ++y) {
    float* to = out + down[y];
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      VecF row[kAcross];
      input_transform<W>(columns[part] + y * kAcross, row, 1);
#pragma GCC unroll 8
      for (int x = 0; x < kAcross; ++x) {
        store(to + across[x] + part * kLanes, row[x]);
        if (part == 0) prefetch_to_write(to + across[x] + kBlock);
      }
    }
  }
}

// `count` tiles of H x W side by side, from the one whose first pixel is y, x on.
template <int H, int W, Source kSource>
void input_tiles(const SourcePlane& plane, const SourceBlock& block, std::int64_t y, std::int64_t x, std::int64_t count, float* out,
                 int taps, std::int64_t stride) {
  std::int64_t down[kTaps<H>];
  std::int64_t across[kTaps<W>];
  for (int i = 0; i < kTaps<H>; ++i) down[i] = point_of<H>(i, taps) * taps * stride;
  for (int i = 0; i < kTaps<W>; ++i) across[i] = point_of<W>(i, taps) * stride;
  alignas(64) float patch[kTaps<H> * kTaps<W> * kBlock];
  const std::int64_t y0 = y - 1;
  std::int64_t x0 = x - 1;
  for (std::int64_t i = 0; i < count; ++i, x0 += W, out += kBlock) {
    if (y0 >= 0 && x0 >= 0 && y0 + kTaps<H> <= plane.y_end && x0 + kTaps<W> <= plane.x_end) {
      transform_tile<H, W, kSource>(block, y0, x0, out, down, across);
    } else {
      gather_patch<kSource>(plane, block, y0, x0, kTaps<H>, kTaps<W>, patch);
      transform_tile<H, W, Source::kPlain>({patch, nullptr, kTaps<W>, kTaps<W>}, 0, 0, out, down, across);
    }
  }
}

template <Source kSource>
void input_tiles_from(const ConvJob& job, int first_block, int last_block, std::int64_t first, std::int64_t last, const InputTiles& v) {
  const SourcePlane plane = source_plane<kSource>(job);
  for (int b = first_block; b < last_block; ++b) {
    const SourceBlock block = plane.block(b);
    float* out = v.data + b * v.capacity * kBlock;
    for_each_run(job.grid, first, last, [&](auto h, auto w, const TilePlace& place, std::int64_t tile, std::int64_t count) {
      input_tiles<h, w, kSource>(plane, block, place.y0, place.x0, count, out + (tile - first) * kBlock, job.grid.taps(), v.position);
    });
  }
}

// Packed filters of one (output block, input block): (9, 16 input channels, 16 output channels).
constexpr int kPackedBlock = 9 * kBlock * kBlock;

// The 16 x 16 matrices of each tap transposed.
void transpose_taps(const float* from, float* to) {
  for (int tap = 0; tap < 9; ++tap) {
    for (int i = 0; i < kBlock; i += kLanes) {
      for (int j = 0; j < kBlock; j += kLanes) {
        VecF square[kLanes];
#pragma GCC unroll 16
        for (int k = 0; k < kLanes; ++k) square[k] = load(from + (tap * kBlock + i + k) * kBlock + j);
        transpose(square);
#pragma GCC unroll 16
        for (int k = 0; k < kLanes; ++k) store(to + (tap * kBlock + j + k) * kBlock + i, square[k]);
      }
    }
  }
}

template <int M>
void filters_of(const ConvJob& job, int group, int in_block, float* u) {
  constexpr int kA = kTaps<M>;
  constexpr int kGroupBlocks = kColumns / kBlock;
  const int first_block = group * kGroupBlocks;
  const int blocks = smaller_of(kGroupBlocks, job.out_blocks - first_block);
  const int columns = blocks * kBlock;
  const std::int64_t stride = filter_position(job.in_blocks, columns);
  alignas(64) float turned[kPackedBlock];
  for (int b = 0; b < blocks; ++b) {
    const float* taps;
    // The same block of the next input block, which may come from memory.
    const std::int64_t next = job.transposed ? std::int64_t{in_block + 1} * job.out_blocks + first_block + b
                                             : std::int64_t{first_block + b} * job.in_blocks + in_block + 1;
    if (job.transposed) {
      // The convolution's own output channels are this direction's inputs.
      transpose_taps(job.filters + (std::int64_t{in_block} * job.out_blocks + first_block + b) * kPackedBlock, turned);
      taps = turned;
    } else {
      taps = job.filters + (std::int64_t{first_block + b} * job.in_blocks + in_block) * kPackedBlock;
    }
    for (int i = 0; i < kBlock; ++i) {
      VecF columns_done[kParts][kA * 3];
      for (int part = 0; part < kParts; ++part) {
        VecF g[9];
#pragma GCC unroll 9
        for (int tap = 0; tap < 9; ++tap) g[tap] = load(taps + ((job.transposed ? 8 - tap : tap) * kBlock + i) * kBlock + part * kLanes);
#pragma GCC unroll 3
        for (int x = 0; x < 3; ++x) filter_transform<M>(g[x], g[3 + x], g[6 + x], columns_done[part] + x, 3);
      }
#pragma GCC unroll 9
      for (int tap = 0; tap < 9; ++tap) __builtin_prefetch(job.filters + next * kPackedBlock + (tap * kBlock + i) * kBlock, 0, 2);
      float* out = u + (std::int64_t{in_block} * kBlock + i) * columns + b * kBlock;
#pragma GCC unroll 1
      for (int y = 0; y < kA; ++y, out += kA * stride) {
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          const VecF* of_row = columns_done[part] + 3 * y;
          VecF row[kA];
          filter_transform<M>(of_row[0], of_row[1], of_row[2], row, 1);
#pragma GCC unroll 8
          for (int x = 0; x < kA; ++x) store(out + x * stride + part * kLanes, row[x]);
        }
#pragma GCC unroll 8
        for (int x = 0; x < kA; ++x) prefetch_to_write(out + x * stride + columns);
      }
    }
  }
}

}  // namespace

void winograd_filters(const ConvJob& job, int group, int in_block, float* u) {
  switch (job.grid.tile) {
    case 2:
      return filters_of<2>(job, group, in_block, u);
    case 4:
      return filters_of<4>(job, group, in_block, u);
    default:
      return filters_of<6>(job, group, in_block, u);
  }
}

void winograd_input(const ConvJob& job, int first_block, int last_block, std::int64_t first, std::int64_t count, const InputTiles& v) {
  switch (job.source) {
    case Source::kPlain:
      return input_tiles_from<Source::kPlain>(job, first_block, last_block, first, first + count, v);
    case Source::kMasked:
      return input_tiles_from<Source::kMasked>(job, first_block, last_block, first, first + count, v);
    case Source::kMaxUnpooled:
      return input_tiles_from<Source::kMaxUnpooled>(job, first_block, last_block, first, first + count, v);
    case Source::kAverageUnpooled:
      return input_tiles_from<Source::kAverageUnpooled>(job, first_block, last_block, first, first + count, v);
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
