// The four stages of a Winograd convolution for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void winograd_filters(const WinogradJob& job, int group, int in_block, const GroupFilters& u);
void winograd_input(const WinogradJob& job, std::int64_t first, std::int64_t count, const InputTiles& v, std::int64_t at);
void winograd_products(const WinogradJob& job, int group, const GroupFilters& u, const InputTiles& v, std::int64_t at, std::int64_t count,
                       const ProductTiles& m, std::int64_t first);
void winograd_output(const WinogradJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m);

}  // namespace impasto::cpu::IMPASTO_ISA
