// How a plane is cut into Winograd tiles.
//
// Tiles that hang over the border waste products. F(4)'s interpolation points are among F(6)'s, so its transformed filters are some of
// F(6)'s (winograd_transforms.h), and one set of filters serves tiles of both sizes: where an axis is no multiple of 6, its last tiles are
// one or two of 4 instead. 50 x 37 pixels then take 3536 products a pair of channels instead of 4032 by F(6) and 4680 by F(4) alone.
//
// A tile of 4 takes no part at the positions of the two points that it lacks. Tiles are numbered so that those which take part at a
// position follow one another: small x large (height x width), large x large, large x small, small x small.
#pragma once

#include <cstdint>

namespace impasto::cpu {

// Tiles of one size, row by row; `first` is the number of the first one.
struct TileRegion {
  int tile_h = 0;
  int tile_w = 0;
  int y0 = 0;
  int x0 = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t first = 0;
};

// The first pixel of a tile, its size, and how many tiles from it on lie side by side.
struct TilePlace {
  int h;
  int w;
  std::int64_t y0;
  std::int64_t x0;
  std::int64_t run;
};

struct TileRange {
  std::int64_t first;
  std::int64_t last;
};

// For kernels too, so without the standard library (simd.h).
struct TileGrid {
  static constexpr int kSmall = 4;
  static constexpr int kRegions = 4;

  int tile = 0;  // M of F(M x M, 3 x 3), 2, 4 or 6: the larger size
  TileRegion regions[kRegions];
  std::int64_t tiles = 0;
  std::int64_t products = 0;  // of all tiles, for one pair of channels

  int taps() const { return tile + 2; }
  int positions() const { return taps() * taps(); }
};

// tile: 2, 4 or 6; a plane of h x w pixels, both at least 1. Tiles may hang over its lower and right border. F(6) takes tiles of 4 as well.
TileGrid cut_into_tiles(int tile, int h, int w);

// Where a tile lies, 0 <= tile < grid.tiles.
static inline TilePlace place_of(const TileGrid& grid, std::int64_t tile) {
  int i = TileGrid::kRegions - 1;
  while (tile < grid.regions[i].first) --i;
  const TileRegion& region = grid.regions[i];
  const std::int64_t row = (tile - region.first) / region.columns;
  const std::int64_t column = (tile - region.first) % region.columns;
  return {region.tile_h, region.tile_w, region.y0 + row * region.tile_h, region.x0 + column * region.tile_w, region.columns - column};
}

// Which of tiles first .. last - 1 take part at a position (row by row, 0 <= position < grid.positions()); none where first >= last.
static inline TileRange taking_part(const TileGrid& grid, int position, std::int64_t first, std::int64_t last) {
  const int y = position / grid.taps();
  const int x = position % grid.taps();
  const bool large_h = y > TileGrid::kSmall && y <= grid.tile;
  const bool large_w = x > TileGrid::kSmall && x <= grid.tile;
  const std::int64_t from = large_h ? grid.regions[1].first : 0;
  const std::int64_t to = large_w ? grid.regions[2].first : large_h ? grid.regions[3].first : grid.tiles;
  return {first > from ? first : from, last < to ? last : to};
}

}  // namespace impasto::cpu
