#include "kernels/cpu/tile_grid.h"

namespace impasto::cpu {
namespace {

struct Axis {
  int large = 0;
  int small = 0;
};

// As few positions as possible that cover `size` pixels: a tile of 6 takes 8, one of 4 takes 6.
Axis cut_axis(int tile, int size) {
  Axis axis;
  if (tile == 6) {
    const int rest = size % tile;
    axis.small = rest == 0 || rest == 5 ? 0 : rest > 2 || size < tile ? 1 : 2;
  }
  const int left = size - axis.small * TileGrid::kSmall;
  axis.large = left > 0 ? (left + tile - 1) / tile : 0;
  return axis;
}

}  // namespace

TileGrid cut_into_tiles(int tile, int h, int w) {
  constexpr int kSmall = TileGrid::kSmall;
  const Axis down = cut_axis(tile, h);
  const Axis across = cut_axis(tile, w);
  const int small_y = down.large * tile;
  const int small_x = across.large * tile;
  TileGrid grid;
  grid.tile = tile;
  grid.regions[0] = {kSmall, tile, small_y, 0, down.small, across.large};
  grid.regions[1] = {tile, tile, 0, 0, down.large, across.large};
  grid.regions[2] = {tile, kSmall, 0, small_x, down.large, across.small};
  grid.regions[3] = {kSmall, kSmall, small_y, small_x, down.small, across.small};
  for (TileRegion& region : grid.regions) {
    region.first = grid.tiles;
    grid.tiles += region.rows * region.columns;
    grid.products += region.rows * region.columns * (region.tile_h + 2) * (region.tile_w + 2);
  }
  return grid;
}

}  // namespace impasto::cpu
