// The four stages of a Winograd convolution for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void winograd_filters(const ConvJob& job, int group, int in_block, float* u);
void winograd_input(const ConvJob& job, int first_block, int last_block, std::int64_t first, std::int64_t count, const InputTiles& v);
void winograd_products(const ConvJob& job, int group, const float* u, const InputTiles& v, const ProductTiles& m, std::int64_t first,
                       std::int64_t count);
void winograd_output(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m);

}  // namespace impasto::cpu::IMPASTO_ISA
