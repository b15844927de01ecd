// Sizes shared by the plan and the kernels of convolutions that read a picture.
#pragma once

#include <cstdint>

#include "kernels/cpu/kernel_table.h"

namespace impasto::cpu {

// Inner dimension of the convolution: 3 channels x 3 x 3.
inline constexpr int kImageInputs = 27;
// Taps of the gradient's products: the same 27, padded to whole blocks.
inline constexpr int kImageTaps = 32;
// Pixels of a row whose masked gradient is gathered at a time: 64 channels of them are 16 KiB, half of L1.
inline constexpr int kImageSegment = 64;

}  // namespace impasto::cpu
