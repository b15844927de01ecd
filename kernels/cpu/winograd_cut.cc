#include "kernels/cpu/winograd_cut.h"

#include <algorithm>

namespace impasto::cpu {
namespace {

// Cost of a convolution in units of one register product's cycle (512 multiply-adds / 16 = one vector multiply-add), from the counts of
// vector operations of each stage, scaled to what the stages measure.
double cost(int tile, std::int64_t tiles, int in_blocks, int out_blocks) {
  const double positions = (tile + 2) * (tile + 2);
  const double in = in_blocks;
  const double out = out_blocks;
  const double products = positions * static_cast<double>(tiles) * in * out * 16;
  const double filters = in * out * 16 * positions * 5;
  const double transforms = static_cast<double>(tiles) * (in + out) * positions * 8;
  return products + filters + transforms;
}

}  // namespace

std::int64_t tile_count(int tile, int h, int w) { return std::int64_t{(h + tile - 1) / tile} * ((w + tile - 1) / tile); }

WinogradCut choose_winograd_cut(const KernelTable& kernels, int in_blocks, int out_blocks, int h, int w, bool exact) {
  WinogradCut cut;
  cut.tile = 2;
  if (!exact) {
    for (const int tile : {4, 6}) {
      if (cost(tile, tile_count(tile, h, w), in_blocks, out_blocks) < cost(cut.tile, tile_count(cut.tile, h, w), in_blocks, out_blocks)) {
        cut.tile = tile;
      }
    }
  }
  const std::int64_t tiles = tile_count(cut.tile, h, w);
  const std::int64_t positions = (cut.tile + 2) * (cut.tile + 2);
  if (in_blocks * out_blocks >= 16 * 32 || tiles < 8 * kernels.group_rows) {
    cut.order = WinogradOrder::kFiltersOuter;
    const std::int64_t tile_bytes = positions * in_blocks * 16 * 4;
    constexpr std::int64_t kSharedBytes = std::int64_t{32} << 20;
    cut.shared_tiles = std::clamp<std::int64_t>(kSharedBytes / tile_bytes, kernels.group_rows, tiles);
    cut.block_tiles = std::min<std::int64_t>(cut.shared_tiles, 5 * kernels.group_rows);
  } else {
    cut.order = WinogradOrder::kTilesOuter;
    cut.block_tiles = std::min<std::int64_t>(tiles, (28 + kernels.group_rows - 1) / kernels.group_rows * kernels.group_rows);
  }
  return cut;
}

}  // namespace impasto::cpu
