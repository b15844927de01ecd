// Walking over Winograd's tiles, for one instruction set: runs of tiles side by side, their size known to the compiler.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tile_grid.h"

namespace impasto::cpu::IMPASTO_ISA {

// A number that a template takes: converts to it at compile time.
template <int N>
struct Fixed {
  constexpr operator int() const { return N; }
};

// Calls body(Fixed<height>, Fixed<width>, place of the run's first tile, its number, how many) for tiles first .. last - 1 in order.
template <class Body>
IMPASTO_INLINE void for_each_run(const TileGrid& grid, std::int64_t first, std::int64_t last, const Body& body) {
  for (std::int64_t tile = first; tile < last;) {
    const TilePlace place = place_of(grid, tile);
    const std::int64_t count = last - tile < place.run ? last - tile : place.run;
    if (place.h == 6) {
      if (place.w == 6) {
        body(Fixed<6>{}, Fixed<6>{}, place, tile, count);
      } else {
        body(Fixed<6>{}, Fixed<4>{}, place, tile, count);
      }
    } else if (place.h == 4) {
      if (place.w == 6) {
        body(Fixed<4>{}, Fixed<6>{}, place, tile, count);
      } else {
        body(Fixed<4>{}, Fixed<4>{}, place, tile, count);
      }
    } else {
      body(Fixed<2>{}, Fixed<2>{}, place, tile, count);
    }
    tile += count;
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
