#include "kernels/cpu/conv_plans.h"

#include "kernels/shape_checks.h"

namespace impasto::cpu {

using namespace checks;

std::unique_ptr<ConvPlan> plan_feature_conv(const Context& context, const ConvSpec& spec) {
  return context.tile == 1 ? plan_direct_conv(context, spec) : plan_winograd_conv(context, spec);
}

std::unique_ptr<ConvPlan> plan_conv(const Context& context, const ConvSpec& spec) {
  if (!spec.filters->reads_image) return plan_feature_conv(context, spec);
  // By rows it is quicker, but sums in float32 and does not pool (VGG19 has no such layer).
  if (context.tile == 1 || spec.pools()) return plan_blocked_image_conv(context, spec);
  return plan_image_conv(context, spec);
}

Source source_behind(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kNone:
      return Source::kPlain;
    case Epilogue::kRelu:
      return Source::kMasked;
    case Epilogue::kReluMaxPool:
      return Source::kMaxUnpooled;
    case Epilogue::kReluAveragePool:
      return Source::kAverageUnpooled;
  }
  return Source::kPlain;
}

void check_forward(const ConvSpec& spec, Features in, Features out, Mask mask) {
  require_shape("conv3x3 forward", "in", in.shape, spec.input());
  require_shape("conv3x3 forward", "out", out.shape, spec.output());
  if (mask.data != nullptr && spec.epilogue != Epilogue::kNone) require_shape("conv3x3 forward", "mask", mask.shape, spec.convolved());
}

void check_gradient(const ConvSpec& spec, Features grad_out, Mask mask, Features grad_in, const LossTerm& plus) {
  require_shape("conv3x3 gradient", "grad_out", grad_out.shape, spec.output());
  require_shape("conv3x3 gradient", "grad_in", grad_in.shape, spec.input());
  require_loss_term("conv3x3 gradient", spec, plus);
  if (spec.epilogue == Epilogue::kNone) return;
  require_shape("conv3x3 gradient", "mask", mask.shape, spec.convolved());
  if (mask.data == nullptr) throw ShapeError("conv3x3 gradient: mask is empty, must be what forward() recorded");
}

}  // namespace impasto::cpu
