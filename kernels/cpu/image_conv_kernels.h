// Convolutions that read a picture, for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/image_conv.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void image_conv_row(const float* rows, std::int64_t padded_w, int w, const float* filters, const float* bias, int out_blocks, bool rectify,
                    bool past_cache, float* out, std::uint16_t* mask, std::int64_t out_plane);
void image_gradient_products(const float* grad, const std::uint16_t* mask, std::int64_t plane, int w, int blocks, const float* filters,
                             float* scratch, float* products, std::int64_t padded_w);
void image_gradient_row(const float* const products[3], std::int64_t padded_w, int channel, int w, float* out);

}  // namespace impasto::cpu::IMPASTO_ISA
