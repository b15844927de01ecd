// How the CPU backend lays out what it computes on.
//
// Features: nChw16c, float32. Channels in blocks of 16; a block is h rows of w pixels of 16 consecutive floats. A channel count that is no
// multiple of 16 is padded with channels that are 0 and stay 0 (their filters and biases are), so no kernel looks at channels.
// Mask: one 16-bit word per block and pixel; bit i belongs to channel i of the block.
// Vector: float32. Results of reductions: double.
#pragma once

#include <cstdint>

#include "kernels/tensor.h"

namespace impasto::cpu {

inline constexpr int kBlockChannels = 16;

// Floats of one pair of blocks of packed filters (conv_filters.h).
inline constexpr std::int64_t kPackedBlock = 9 * kBlockChannels * kBlockChannels;

inline int channel_blocks(int channels) { return (channels + kBlockChannels - 1) / kBlockChannels; }
inline std::int64_t padded_size(Shape shape) { return channel_blocks(shape.c) * shape.plane() * kBlockChannels; }

}  // namespace impasto::cpu
