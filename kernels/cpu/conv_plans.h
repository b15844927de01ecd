// The two kinds of convolution plan. Both borrow the context, which must outlive them.
#pragma once

#include <memory>

#include "kernels/backend.h"
#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/thread_pool.h"

namespace impasto::cpu {

struct Context {
  ThreadPool& pool;
  const KernelTable& kernels;
  int tile;  // BackendOptions::tile
};

// spec as plan_conv3x3 has checked it.
std::unique_ptr<ConvPlan> plan_winograd_conv(const Context& context, const ConvSpec& spec);
std::unique_ptr<ConvPlan> plan_image_conv(const Context& context, const ConvSpec& spec);

// The checks that forward and gradient of both kinds share.
void check_forward(const ConvSpec& spec, Features in, Features out, Mask mask);
void check_gradient(const ConvSpec& spec, Features grad_out, Mask mask, Features grad_in, const LossTerm& plus);

}  // namespace impasto::cpu
