// Vector operations for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void dots(const float* const* many, int many_count, const float* const* few, int few_count, std::int64_t first, std::int64_t last,
          double* sums);
void combine(const double* coefficients, const Vector* terms, int count, std::int64_t first, std::int64_t last, float* out);
void norms(const float* v, std::int64_t size, double* sums);
double distance(const float* f, const float* p, std::int64_t size, double scale, float* grad);
void adam(const float* grad, std::int64_t size, const Backend::AdamParameters& parameters, double unbias1, double unbias2, float* m,
          float* v, float* x);

}  // namespace impasto::cpu::IMPASTO_ISA
