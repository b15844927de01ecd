// How a Winograd convolution is cut: tile size, and which operand stays in cache.
#pragma once

#include <cstdint>

#include "kernels/cpu/kernel_table.h"

namespace impasto::cpu {

enum class WinogradOrder {
  // All filters are transformed first, into memory. A task then transforms a block of tiles and meets the filters with it, which stream
  // past the block.
  kTilesOuter,
  // All tiles are transformed first. A task then transforms the filters of one group of output channels and meets all tiles with them:
  // the filters never leave the cache. For many channels and few tiles.
  kFiltersOuter
};

struct WinogradCut {
  TileGrid grid;
  WinogradOrder order = WinogradOrder::kTilesOuter;
  // kTilesOuter: blocks of tiles, of nearly equal size, and tasks that share a block, each taking some of the groups of output channels
  // and transforming the tiles for itself. kFiltersOuter has one block.
  std::int64_t blocks = 1;
  std::int64_t block_tiles = 0;  // of the largest block
  int splits = 1;
  // The transformed filters outlive the call (kTilesOuter).
  bool keep_filters = false;
};

// tile: 2, 4, 6, or 0 for the quickest (F(2) for a convolution of at most 2^24 products). The result depends on the number of workers, what
// the convolution computes does not: each output is one sum over the input channels in their order, whatever the block it stands in.
WinogradCut choose_winograd_cut(const KernelTable& kernels, int in_blocks, int out_blocks, int h, int w, int workers, int tile);

}  // namespace impasto::cpu
