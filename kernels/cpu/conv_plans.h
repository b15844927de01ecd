// The kinds of convolution plan. All borrow the context, which must outlive them.
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
std::unique_ptr<ConvPlan> plan_conv(const Context& context, const ConvSpec& spec);
// Between feature planes, or from the first channels of a block: context.tile says which.
std::unique_ptr<ConvPlan> plan_feature_conv(const Context& context, const ConvSpec& spec);
std::unique_ptr<ConvPlan> plan_winograd_conv(const Context& context, const ConvSpec& spec);
std::unique_ptr<ConvPlan> plan_direct_conv(const Context& context, const ConvSpec& spec);
// That read a picture: by rows, of epilogue kNone or kRelu; and as the first channels of a block, by plan_feature_conv's.
std::unique_ptr<ConvPlan> plan_image_conv(const Context& context, const ConvSpec& spec);
std::unique_ptr<ConvPlan> plan_blocked_image_conv(const Context& context, const ConvSpec& spec);

// What the gradient of a convolution with this epilogue reads of grad_out.
Source source_behind(Epilogue epilogue);

// The checks that forward and gradient of all kinds share.
void check_forward(const ConvSpec& spec, Features in, Features out, Mask mask);
void check_gradient(const ConvSpec& spec, Features grad_out, Mask mask, Features grad_in, const LossTerm& plus);

}  // namespace impasto::cpu
