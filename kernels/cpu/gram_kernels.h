// Gram matrices for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void gram_group(const float* f, std::int64_t plane, int blocks, int group, std::int64_t first, std::int64_t last, double* sums);
void gram_gradient(const float* f, std::int64_t plane, int blocks, const float* packed, std::int64_t first, std::int64_t last,
                   float* grad_f);

}  // namespace impasto::cpu::IMPASTO_ISA
