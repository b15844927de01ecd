// Direct convolution in double for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void direct_filters(const ConvJob& job, int out_block, double* filters);
void direct_patch(const ConvJob& job, std::int64_t y0, std::int64_t x0, int first_block, int last_block, const double* filters,
                  double* source);

}  // namespace impasto::cpu::IMPASTO_ISA
