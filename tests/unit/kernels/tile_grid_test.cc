#include "kernels/cpu/tile_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace impasto::cpu {
namespace {

std::string describe(int tile, int h, int w) {
  return "F(" + std::to_string(tile) + ") of " + std::to_string(h) + " x " + std::to_string(w);
}

template <class Body>
void for_planes(const Body& body) {
  for (int tile : {2, 4, 6}) {
    for (int h = 1; h <= 27; ++h) {
      for (int w = 1; w <= 27; ++w) {
        SCOPED_TRACE(describe(tile, h, w));
        body(tile, h, w);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(TileGrid, CoversEachPixelOnce) {
  for_planes([](int tile, int h, int w) {
    const TileGrid grid = cut_into_tiles(tile, h, w);
    std::vector<int> covered(static_cast<std::size_t>(h) * w);
    for (std::int64_t i = 0; i < grid.tiles; ++i) {
      const TilePlace place = place_of(grid, i);
      EXPECT_TRUE(place.y0 < h && place.x0 < w) << "tile " << i << " lies outside";
      // What the transforms are made for: pooling windows and masks begin at even pixels.
      EXPECT_EQ(place.y0 % 2 + place.x0 % 2, 0);
      for (std::int64_t y = place.y0; y < place.y0 + place.h && y < h; ++y) {
        for (std::int64_t x = place.x0; x < place.x0 + place.w && x < w; ++x) ++covered[static_cast<std::size_t>(y * w + x)];
      }
    }
    EXPECT_EQ(covered, std::vector<int>(covered.size(), 1));
  });
}

TEST(TileGrid, RunsLieSideBySide) {
  for_planes([](int tile, int h, int w) {
    const TileGrid grid = cut_into_tiles(tile, h, w);
    for (std::int64_t i = 0; i < grid.tiles; ++i) {
      const TilePlace place = place_of(grid, i);
      ASSERT_GE(place.run, 1);
      if (place.run == 1) continue;
      const TilePlace next = place_of(grid, i + 1);
      EXPECT_EQ(next.h, place.h);
      EXPECT_EQ(next.w, place.w);
      EXPECT_EQ(next.y0, place.y0);
      EXPECT_EQ(next.x0, place.x0 + place.w);
      EXPECT_EQ(next.run, place.run - 1);
    }
  });
}

TEST(TileGrid, TilesTakePartWhereTheyHaveAPoint) {
  for_planes([](int tile, int h, int w) {
    const TileGrid grid = cut_into_tiles(tile, h, w);
    // Points of F(size) among those of F(tile): all but the last in order, and the last, infinity.
    const auto has = [&](int size, int point) { return point < size + 1 || point == grid.taps() - 1; };
    // All tiles, and a piece that begins and ends anywhere.
    for (const TileRange piece : {TileRange{0, grid.tiles}, TileRange{grid.tiles / 3, grid.tiles - grid.tiles / 4}}) {
      std::int64_t products = 0;
      for (int position = 0; position < grid.positions(); ++position) {
        const TileRange range = taking_part(grid, position, piece.first, piece.last);
        for (std::int64_t i = piece.first; i < piece.last; ++i) {
          const TilePlace place = place_of(grid, i);
          const bool expected = has(place.h, position / grid.taps()) && has(place.w, position % grid.taps());
          EXPECT_EQ(range.first <= i && i < range.last, expected) << "tile " << i << ", position " << position;
          products += expected;
        }
      }
      if (piece.first == 0 && piece.last == grid.tiles) {
        EXPECT_EQ(products, grid.products);
      }
    }
  });
}

// Of all ways to cover an axis by tiles of 6 and 4 the one with the fewest positions.
TEST(TileGrid, TakesAsFewProductsAsTilesOfSixAndFourCan) {
  const auto fewest = [](int size) {
    int best = 8 * size;
    for (int small = 0; small <= size; ++small) {
      const int left = size - 4 * small;
      const int large = left > 0 ? (left + 5) / 6 : 0;
      best = std::min(best, 8 * large + 6 * small);
    }
    return best;
  };
  for (int h = 1; h <= 40; ++h) {
    for (int w : {h, 13, 50}) EXPECT_EQ(cut_into_tiles(6, h, w).products, fewest(h) * fewest(w)) << h << " x " << w;
  }
}

}  // namespace
}  // namespace impasto::cpu
