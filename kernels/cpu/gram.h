// Gram matrices on the pool's threads; the contracts are the seam's (kernels/backend.h), shapes already checked.
#pragma once

#include <cstdint>

#include "kernels/cpu/conv_plans.h"
#include "kernels/tensor.h"

namespace impasto::cpu {

std::int64_t gram_scratch_bytes(const KernelTable& kernels, Shape shape);
void compute_gram(const Context& context, Features f, float* g, void* scratch);
void add_gram_gradient(const Context& context, Features f, const float* grad_g, double scale, float* grad_f, void* scratch);

}  // namespace impasto::cpu
