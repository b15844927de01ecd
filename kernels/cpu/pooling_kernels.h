// ReLU and pooling for one instruction set; the contracts are in kernel_table.h.
#pragma once

#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {

void relu(const float* in, std::int64_t pixels, float* out, std::uint16_t* mask);
void relu_gradient(const std::uint16_t* mask, std::int64_t pixels, float* grad);
void pool_row(PoolKind kind, const float* in, int w, float* out, std::uint16_t* mask);
void pool_gradient_row(PoolKind kind, const float* grad_out, const std::uint16_t* mask, int w, float* grad_in);

}  // namespace impasto::cpu::IMPASTO_ISA
