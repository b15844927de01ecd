// Gram matrices on the pool's threads; the contracts are the seam's (kernels/backend.h), shapes already checked.
#pragma once

#include <cstdint>

#include "kernels/cpu/conv_plans.h"

namespace impasto::cpu {

std::int64_t gram_scratch_bytes(const KernelTable& kernels, Shape shape);
void compute_gram(const Context& context, Features f, float* g, void* scratch);
// scale * grad_g as the kernels read it (kernel_table.h, gram_gradient): packed_gram_floats(f.shape.c) floats.
std::int64_t packed_gram_floats(int channels);
void pack_gram_term(const Context& context, const GramTerm& term, float* packed);
// grad_f += (packed term) f
void add_gram_gradient(const Context& context, const GramTerm& term, const float* packed, float* grad_f);

}  // namespace impasto::cpu
