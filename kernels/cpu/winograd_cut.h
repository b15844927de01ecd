// How a Winograd convolution is cut: tile size, and which operand stays in cache.
#pragma once

#include <cstdint>

#include "kernels/cpu/kernel_table.h"

namespace impasto::cpu {

enum class WinogradOrder {
  // All filters are transformed first; a task transforms a block of tiles and meets all filters with it. For planes with many tiles.
  kTilesOuter,
  // All tiles are transformed first; a task transforms the filters of one group of output channels and meets all tiles with them.
  // For many channels, whose transformed filters would fill memory.
  kFiltersOuter
};

struct WinogradCut {
  int tile = 4;
  WinogradOrder order = WinogradOrder::kTilesOuter;
  // Tiles whose products are under way at a time.
  std::int64_t block_tiles = 0;
  // kFiltersOuter: tiles transformed at a time; their inputs are shared by all workers.
  std::int64_t shared_tiles = 0;
};

std::int64_t tile_count(int tile, int h, int w);

// exact: F(2) only.
WinogradCut choose_winograd_cut(const KernelTable& kernels, int in_blocks, int out_blocks, int h, int w, bool exact);

}  // namespace impasto::cpu
