// Operations on pictures' rows for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

double variation_row(const float* row, const float* above, const float* below, int w, double scale, float* grad);
void smooth_along_row(const float* in, int w, int step, float* out, float gain, float* sum);
void smooth_across_rows(const float* const rows[5], int w, float* out);

}  // namespace impasto::cpu::IMPASTO_ISA
