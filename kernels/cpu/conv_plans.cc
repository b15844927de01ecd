#include "kernels/cpu/conv_plans.h"

#include <algorithm>

#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/shape_checks.h"

namespace impasto::cpu {

using namespace checks;
namespace {

std::unique_ptr<ConvPlan> plan_feature_conv(const Context& context, const ConvSpec& spec) {
  return context.tile == 1 ? plan_direct_conv(context, spec) : plan_winograd_conv(context, spec);
}

// A convolution that reads a picture as the first three channels of a block, by a plan between feature planes.
class BlockedImageConv : public ConvPlan {
 public:
  BlockedImageConv(const Context& context, const ConvSpec& spec)
      : context_(context), spec_(spec), inner_(plan_feature_conv(context, spec)) {}

  std::int64_t scratch_bytes() const override { return block_bytes() + inner_->scratch_bytes(); }
  std::int64_t held_bytes() const override { return inner_->held_bytes(); }

  void forward(Features in, Features out, Mask mask, void* scratch) override {
    check_forward(spec_, in, out, mask);
    const std::int64_t plane = spec_.input().plane();
    const float* picture = static_cast<const float*>(in.data);
    float* block = static_cast<float*>(scratch);
    context_.pool.parallel_for(spec_.h, [&](int, std::int64_t y) {
      for (std::int64_t pixel = y * spec_.w; pixel < (y + 1) * spec_.w; ++pixel) {
        std::fill_n(block + pixel * kBlockChannels, kBlockChannels, 0.0f);
        for (int c = 0; c < spec_.input().c; ++c) block[pixel * kBlockChannels + c] = picture[c * plane + pixel];
      }
    });
    inner_->forward({block, spec_.input()}, out, mask, inner_scratch(scratch));
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const GramTerm* plus) override {
    check_gradient(spec_, grad_out, mask, grad_in, plus);
    const std::int64_t plane = spec_.input().plane();
    const float* block = static_cast<const float*>(scratch);
    float* picture = static_cast<float*>(grad_in.data);
    inner_->gradient(grad_out, mask, {scratch, spec_.input()}, inner_scratch(scratch));
    context_.pool.parallel_for(spec_.h, [&](int, std::int64_t y) {
      for (std::int64_t pixel = y * spec_.w; pixel < (y + 1) * spec_.w; ++pixel) {
        for (int c = 0; c < spec_.input().c; ++c) picture[c * plane + pixel] = block[pixel * kBlockChannels + c];
      }
    });
  }

 private:
  std::int64_t block_bytes() const { return aligned(padded_size(spec_.input()) * static_cast<std::int64_t>(sizeof(float))); }
  void* inner_scratch(void* scratch) const { return static_cast<char*>(scratch) + block_bytes(); }

  Context context_;
  ConvSpec spec_;
  std::unique_ptr<ConvPlan> inner_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_conv(const Context& context, const ConvSpec& spec) {
  if (!spec.filters->reads_image) return plan_feature_conv(context, spec);
  // By rows it is quicker, but sums in float32 and does not pool (VGG19 has no such layer).
  if (context.tile == 1 || spec.pools()) return std::make_unique<BlockedImageConv>(context, spec);
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

void check_gradient(const ConvSpec& spec, Features grad_out, Mask mask, Features grad_in, const GramTerm* plus) {
  require_shape("conv3x3 gradient", "grad_out", grad_out.shape, spec.output());
  require_shape("conv3x3 gradient", "grad_in", grad_in.shape, spec.input());
  if (plus != nullptr) require_gram_term("conv3x3 gradient", spec, *plus);
  if (spec.epilogue == Epilogue::kNone) return;
  require_shape("conv3x3 gradient", "mask", mask.shape, spec.convolved());
  if (mask.data == nullptr) throw ShapeError("conv3x3 gradient: mask is empty, must be what forward() recorded");
}

}  // namespace impasto::cpu
