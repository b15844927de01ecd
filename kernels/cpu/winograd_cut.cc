#include "kernels/cpu/winograd_cut.h"

#include <algorithm>
#include <iterator>

#include "kernels/cpu/layout.h"

namespace impasto::cpu {
namespace {

// Cycles that the stages take on one core with AVX-512 (Sapphire Rapids class, 3.4 GHz, medians over VGG19's layers; the other
// instruction sets' stages stand in much the same proportion). The table decides between tile sizes only, so its ratios matter:
// F(6) needs 0.79 of F(4)'s products and 0.44 of F(2)'s, with tiles of 4 at the borders even of small planes, but its filters are 64
// numbers for 9.
struct StageCycles {
  int tile;
  double filters;  // 16 filters, transformed
  double input;    // one tile of one block of 16 channels; tiles at the borders by their products
  double output;
};
constexpr StageCycles kStages[] = {{2, 180, 120, 60}, {4, 450, 330, 165}, {6, 1000, 600, 360}};
// One vector of multiply-adds within a product: 0.5 at the machine's peak.
constexpr double kProduct = 0.62;

// Where there is so little to do (all layers of a picture of up to 64 x 64), one decision that rounding turns, of a ReLU or a maximum, is a
// noticeable share of the gradient, and no time worth having is lost.
constexpr std::int64_t kLittleWork = std::int64_t{1} << 24;

double cycles(const StageCycles& stage, int in_blocks, int out_blocks, int h, int w) {
  const TileGrid grid = cut_into_tiles(stage.tile, h, w);
  const double products = static_cast<double>(grid.products);
  const double whole_tiles = products / grid.positions();
  const double pairs = static_cast<double>(in_blocks) * out_blocks;
  return pairs * 16 * (products * kProduct + stage.filters) + whole_tiles * (in_blocks * stage.input + out_blocks * stage.output);
}

int cheapest_tile(int in_blocks, int out_blocks, int h, int w) {
  if (std::int64_t{in_blocks} * out_blocks * kBlockChannels * kBlockChannels * h * w <= kLittleWork) return 2;
  return std::min_element(std::begin(kStages), std::end(kStages),
                          [&](const StageCycles& a, const StageCycles& b) {
                            return cycles(a, in_blocks, out_blocks, h, w) < cycles(b, in_blocks, out_blocks, h, w);
                          })
      ->tile;
}

// Tiles of a block. More make better use of the filters that stream past from the outer caches, fewer leave the transformed inputs in the
// second-level cache. Measured with F(6): 64 and 128 channels are equal from 28 to 56 (inputs 0.5 to 1.8 MB), 256 gain 5% from 28 to 42,
// 512 gain 15% from 28 to 56.
std::int64_t preferred_tiles(int in_blocks) { return in_blocks <= 8 ? 28 : in_blocks <= 16 ? 42 : 56; }

// kFiltersOuter pays where the transformed filters would go to memory and back for few tiles. Measured with F(4), 512 channels: 35 tiles
// 6.6 against 8.6 ms, 130 tiles 17.9 against 20 ms, 256 tiles equal; 256 channels (9 MB) 18.0 against 15.2 ms at 475 tiles. Filters that
// are kept need not be transformed: F(6), 256 channels (16 MB), 154 tiles 11.5 against 9.7 ms.
constexpr std::int64_t kFewTiles = 160;
constexpr std::int64_t kManyFilters = std::int64_t{16} << 20;

// Transformed filters are kept where they take little memory and the convolution is so little work that to transform them is a noticeable
// part of it: for pictures of up to some 460 x 350 pixels conv1_2 to conv3_4, which all do about the same work, 132 MB for both directions.
// At 400 x 300 that is worth 8 of 224 ms with two threads.
constexpr std::int64_t kMostKept = std::int64_t{20} << 20;
constexpr std::int64_t kLittleWorkKept = std::int64_t{5} << 30;  // bytes times tiles

bool worth_keeping(std::int64_t filter_bytes, std::int64_t tiles) {
  return filter_bytes <= kMostKept && filter_bytes * tiles <= kLittleWorkKept;
}

std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

WinogradCut choose_winograd_cut(const KernelTable& kernels, int in_blocks, int out_blocks, int h, int w, int workers, int tile) {
  WinogradCut cut;
  cut.grid = cut_into_tiles(tile != 0 ? tile : cheapest_tile(in_blocks, out_blocks, h, w), h, w);
  const std::int64_t tiles = cut.grid.tiles;
  const std::int64_t groups = (out_blocks * 16 + kernels.group_channels - 1) / kernels.group_channels;
  const std::int64_t filter_bytes = std::int64_t{4} * cut.grid.positions() * in_blocks * out_blocks * 256;
  if (tiles <= kFewTiles && filter_bytes > kManyFilters && groups >= workers) {
    cut.order = WinogradOrder::kFiltersOuter;
  } else {
    cut.order = WinogradOrder::kTilesOuter;
    cut.keep_filters = worth_keeping(filter_bytes, tiles);
    cut.blocks = (tiles + preferred_tiles(in_blocks) - 1) / preferred_tiles(in_blocks);
    // Equal work for all: a multiple of the workers, unless there is plenty; no smaller than one register product.
    if (cut.blocks < 8 * workers)
      cut.blocks = std::min(rounded_up(cut.blocks, workers), (tiles + kernels.group_rows - 1) / kernels.group_rows);
    if (cut.blocks < workers) cut.splits = static_cast<int>(std::min(groups, (workers + cut.blocks - 1) / cut.blocks));
  }
  cut.block_tiles = (tiles + cut.blocks - 1) / cut.blocks;
  return cut;
}

}  // namespace impasto::cpu
