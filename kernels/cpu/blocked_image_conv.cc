// Convolutions that read a picture as the first three channels of a block, by a plan between feature planes.
#include <algorithm>

#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/variation_sum.h"

namespace impasto::cpu {
namespace {

class BlockedImageConv : public ConvPlan {
 public:
  BlockedImageConv(const Context& context, const ConvSpec& spec)
      : context_(context), spec_(spec), inner_(plan_feature_conv(context, spec)) {}

  std::int64_t scratch_bytes() const override {
    return block_bytes() + std::max(inner_->scratch_bytes(), VariationSum::scratch_bytes(spec_.h));
  }
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

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) override {
    check_gradient(spec_, grad_out, mask, grad_in, plus);
    const std::int64_t plane = spec_.input().plane();
    const float* block = static_cast<const float*>(scratch);
    float* picture = static_cast<float*>(grad_in.data);
    inner_->gradient(grad_out, mask, {scratch, spec_.input()}, inner_scratch(scratch));
    const VariationSum variation(context_.kernels, plus, spec_.input(), grad_in, inner_scratch(scratch), spec_.h);
    context_.pool.parallel_for(spec_.h, [&](int, std::int64_t y) {
      variation.begin(y);
      for (std::int64_t pixel = y * spec_.w; pixel < (y + 1) * spec_.w; ++pixel) {
        for (int c = 0; c < spec_.input().c; ++c) picture[c * plane + pixel] = block[pixel * kBlockChannels + c];
      }
      for (int c = 0; c < spec_.input().c; ++c) variation.add_row(y, c, y);
    });
    variation.finish();
  }

 private:
  std::int64_t block_bytes() const { return aligned(padded_size(spec_.input()) * static_cast<std::int64_t>(sizeof(float))); }
  void* inner_scratch(void* scratch) const { return static_cast<char*>(scratch) + block_bytes(); }

  Context context_;
  ConvSpec spec_;
  std::unique_ptr<ConvPlan> inner_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_blocked_image_conv(const Context& context, const ConvSpec& spec) {
  return std::make_unique<BlockedImageConv>(context, spec);
}

}  // namespace impasto::cpu
