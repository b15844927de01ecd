// Compact vectors for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void compress(float* v, CompactVector to, std::int64_t first, std::int64_t last);
void compact_dots(const CompactVector* many, int many_count, const float* const* few, int few_count, std::int64_t first, std::int64_t last,
                  double* sums);
void compact_combine(const double* coefficients, const CompactVector* terms, int count, double scale, const float* v, std::int64_t first,
                     std::int64_t last, float* out);

}  // namespace impasto::cpu::IMPASTO_ISA
