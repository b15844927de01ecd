#include "kernels/cuda/convolution.h"

#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include "kernels/cuda/image_conv.h"
#include "kernels/cuda/losses.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/pooling.h"
#include "kernels/cuda/vectors.h"
#include "kernels/shape_checks.h"

namespace impasto::cuda {
namespace {

class CudaFilters : public Filters {
 public:
  CudaFilters(const FilterSpec& spec, const Context& context)
      : Filters(spec),
        storage_(spec.reads_image ? Storage::kFloat32 : context.storage()),
        weight_(upload(spec.reads_image ? taps_first(spec) : inputs_last(spec), context.stream)),
        bias_(upload(spec.bias, context.stream)) {}

  // A picture's are float32, others in the plans' storage.
  const void* weight() const { return weight_.data(); }
  const void* bias() const { return bias_.data(); }

 private:
  Buffer upload(std::span<const float> values, cudaStream_t stream) const {
    if (storage_ == Storage::kFloat32) return cuda::upload(std::as_bytes(values), stream);
    return storage_ == Storage::kFloat16 ? upload_rounded<__half>(values, stream) : upload_rounded<__nv_bfloat16>(values, stream);
  }

  template <class Number>
  static Buffer upload_rounded(std::span<const float> values, cudaStream_t stream) {
    std::vector<Number> rounded(values.size());
    std::transform(values.begin(), values.end(), rounded.begin(), narrowed<Number>);
    return cuda::upload(std::as_bytes(std::span(rounded)), stream);
  }

  // (27, out_channels), as image_conv.h takes them.
  static std::vector<float> taps_first(const FilterSpec& spec) {
    std::vector<float> made(spec.weight.size());
    for (int k = 0; k < spec.out_channels; ++k) {
      for (int tap = 0; tap < 27; ++tap) {
        made[static_cast<std::size_t>(tap) * spec.out_channels + k] = spec.weight[static_cast<std::size_t>(k) * 27 + tap];
      }
    }
    return made;
  }

  // (out_channels, 3, 3, in_channels), as dnn.h takes them.
  static std::vector<float> inputs_last(const FilterSpec& spec) {
    std::vector<float> made(spec.weight.size());
    std::size_t to = 0;
    for (int k = 0; k < spec.out_channels; ++k) {
      for (int tap = 0; tap < 9; ++tap) {
        for (int c = 0; c < spec.in_channels; ++c) {
          made[to++] = spec.weight[(static_cast<std::size_t>(k) * spec.in_channels + c) * 9 + tap];
        }
      }
    }
    return made;
  }

  Storage storage_;
  Buffer weight_;
  Buffer bias_;
};

// What every plan checks of its arguments, and where it pools.
class CudaConvPlan : public ConvPlan {
 public:
  CudaConvPlan(const Context& context, const ConvSpec& spec)
      : context_(context), spec_(spec), filters_(static_cast<const CudaFilters&>(*spec.filters)) {}

  void forward(Features in, Features out, Mask mask, void* scratch) final {
    checks::require_shape("forward", "in", in.shape, spec_.input());
    checks::require_shape("forward", "out", out.shape, spec_.output());
    if (mask.data != nullptr) checks::require_shape("forward", "mask", mask.shape, spec_.convolved());
    if (!spec_.pools()) {
      convolve(in, out, spec_.epilogue == Epilogue::kRelu ? mask : Mask{}, scratch);
      return;
    }
    const Features convolved{scratch, spec_.convolved()};
    convolve(in, convolved, {}, static_cast<char*>(scratch) + plane_bytes());
    pool(context_.storage(), pooling(), convolved, true, out, mask, context_.stream);
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) final {
    checks::require_shape("gradient", "grad_out", grad_out.shape, spec_.output());
    if (spec_.epilogue != Epilogue::kNone) checks::require_shape("gradient", "mask", mask.shape, spec_.convolved());
    checks::require_shape("gradient", "grad_in", grad_in.shape, spec_.input());
    checks::require_loss_term("gradient", spec_, plus);
    const TotalVariationTerm* variation = std::get_if<TotalVariationTerm>(&plus);
    if (!spec_.pools()) {
      convolve_back(grad_out, spec_.epilogue == Epilogue::kRelu ? mask : Mask{}, grad_in, variation, scratch);
    } else {
      const Features unpooled{scratch, spec_.convolved()};
      unpool(context_.storage(), pooling(), grad_out, mask, unpooled, context_.stream);
      convolve_back(unpooled, {}, grad_in, variation, static_cast<char*>(scratch) + plane_bytes());
    }
    if (const GramTerm* gram = std::get_if<GramTerm>(&plus)) add_gram_gradient(context_, *gram, grad_in, scratch);
  }

 protected:
  // out = the convolution, rectified unless the epilogue is kNone; mask (nullptr data: none): where it is > 0.
  virtual void convolve(Features in, Features out, Mask mask, void* scratch) = 0;
  // grad_in for grad_out where the mask's bit is set (nullptr data: everywhere). plus: nullptr, or of the picture that the plan reads.
  virtual void convolve_back(Features grad_out, Mask mask, Features grad_in, const TotalVariationTerm* plus, void* scratch) = 0;

  // Of one plane before pooling, so that what follows it in scratch is aligned as it was.
  std::int64_t plane_bytes() const { return (spec_.convolved().size() * bytes_of(context_.storage()) + 255) / 256 * 256; }
  bool rectifies() const { return spec_.epilogue != Epilogue::kNone; }
  PoolKind pooling() const { return spec_.epilogue == Epilogue::kReluMaxPool ? PoolKind::kMax : PoolKind::kAverage; }

  Context context_;
  ConvSpec spec_;
  const CudaFilters& filters_;
};

class ImageConv : public CudaConvPlan {
 public:
  using CudaConvPlan::CudaConvPlan;

  std::int64_t scratch_bytes() const override {
    return (spec_.pools() ? plane_bytes() : 0) + image_conv_gradient_scratch_bytes(spec_.convolved());
  }

 protected:
  void convolve(Features in, Features out, Mask mask, void*) override {
    image_conv_forward(context_.storage(), in, weight(), bias(), rectifies(), out, mask, context_.stream);
  }
  void convolve_back(Features grad_out, Mask mask, Features grad_in, const TotalVariationTerm* plus, void* scratch) override {
    image_conv_gradient(context_.storage(), grad_out, mask, weight(), grad_in, plus, static_cast<double*>(scratch), context_.stream);
  }

 private:
  const float* weight() const { return static_cast<const float*>(filters_.weight()); }
  const float* bias() const { return static_cast<const float*>(filters_.bias()); }
};

class FeatureConv : public CudaConvPlan {
 public:
  FeatureConv(const Context& context, const ConvSpec& spec)
      : CudaConvPlan(context, spec),
        forward_(context.tuner->plan(problem(rectifies() ? Convolution::Kind::kForwardRelu : Convolution::Kind::kForward), context.prefer)),
        gradient_(context.tuner->plan(problem(Convolution::Kind::kGradient), context.prefer)) {}

  std::int64_t scratch_bytes() const override {
    // A gradient that only a ReLU stands before needs a plane as well: what it lets through.
    const std::int64_t back = (rectifies() ? plane_bytes() : 0) + gradient_->workspace_bytes();
    const std::int64_t forth = (spec_.pools() ? plane_bytes() : 0) + forward_->workspace_bytes();
    return std::max({forth, back, gram_gradient_scratch_bytes(context_, filters_.in_channels)});
  }

 protected:
  void convolve(Features in, Features out, Mask mask, void* scratch) override {
    forward_->run(in.data, filters_.weight(), filters_.bias(), out.data, scratch);
    if (mask.data != nullptr) record_positive(context_.storage(), out, mask, context_.stream);
  }
  void convolve_back(Features grad_out, Mask mask, Features grad_in, const TotalVariationTerm*, void* scratch) override {
    const void* from = grad_out.data;
    if (mask.data != nullptr) {
      const Features passed{scratch, grad_out.shape};
      pass_masked(context_.storage(), grad_out, mask, passed, context_.stream);
      from = passed.data;
      scratch = static_cast<char*>(scratch) + plane_bytes();
    }
    gradient_->run(from, filters_.weight(), nullptr, grad_in.data, scratch);
  }

 private:
  Convolution problem(Convolution::Kind kind) const {
    return {kind, spec_.h, spec_.w, filters_.in_channels, filters_.out_channels, context_.precision};
  }

  std::shared_ptr<DnnPlan> forward_;
  std::shared_ptr<DnnPlan> gradient_;
};

// What scale_to_half works with; the scaled matrix follows.
struct alignas(256) HalfScaling {
  double norms[2];
  float scalars[2];
};

}  // namespace

std::unique_ptr<Filters> load_filters(const Context& context, const FilterSpec& spec) {
  checks::require_loadable(spec);
  return std::make_unique<CudaFilters>(spec, context);
}

std::unique_ptr<ConvPlan> plan_convolution(const Context& context, const ConvSpec& spec) {
  checks::require_plannable(spec);
  if (spec.filters->reads_image) return std::make_unique<ImageConv>(context, spec);
  return std::make_unique<FeatureConv>(context, spec);
}

std::int64_t gram_gradient_scratch_bytes(const Context& context, int channels) {
  if (context.storage() == Storage::kFloat32) return 0;
  const std::int64_t rounded = std::int64_t{channels} * channels * bytes_of(context.storage());
  return context.storage() == Storage::kFloat16 ? std::int64_t{sizeof(HalfScaling)} + rounded : rounded;
}

void add_gram_gradient(const Context& context, const GramTerm& term, Features grad_f, void* scratch) {
  Product product;
  const void* grad_g = term.grad_g.data;
  if (context.storage() == Storage::kBfloat16) {
    // float32's range: no scale is needed.
    round_to_bfloat16(term.grad_g, static_cast<__nv_bfloat16*>(scratch), context.stream);
    grad_g = scratch;
  } else if (context.storage() == Storage::kFloat16) {
    auto* scaling = static_cast<HalfScaling*>(scratch);
    auto* scaled = reinterpret_cast<__half*>(scaling + 1);
    norms(term.grad_g, context.partials, scaling->norms, context.stream);
    scale_to_half(term.grad_g, scaling->norms, term.scale, scaled, scaling->scalars, context.stream);
    product.scalars = scaling->scalars;
    grad_g = scaled;
  }
  // Seen column by column, features and gradient are (c, pixels) and grad_g, being symmetric, is itself.
  const int c = grad_f.shape.c;
  product.m = c;
  product.n = static_cast<int>(grad_f.shape.plane());
  product.k = c;
  product.operands = product.results = context.storage();
  product.alpha = static_cast<float>(term.scale);
  product.a = grad_g;
  product.lda = c;
  product.b = term.f.data;
  product.ldb = c;
  product.beta = 1;
  product.c = grad_f.data;
  product.ldc = c;
  context.blas->multiply(product);
}

}  // namespace impasto::cuda
