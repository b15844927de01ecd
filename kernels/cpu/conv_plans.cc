#include "kernels/cpu/conv_plans.h"

#include "kernels/cpu/layout.h"
#include "kernels/shape_checks.h"

namespace impasto::cpu {

using namespace checks;
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
