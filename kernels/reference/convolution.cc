// 3x3 convolution with its epilogue.
//
// The input is copied into a plane with a border of zeros, (h+2) x (w+2). Output row i, column j needs padded elements
// (i+di, j+dj), di, dj in 0..2; with output rows as wide as padded ones (w+2, the last two columns are meaningless) the offset of
// a tap, di (w+2) + dj, is one number for the whole plane, and the convolution is nine products of a (K x C) matrix with a
// shifted view of the (C x padded plane) matrix. The gradient is the same with taps in reverse order, each transposed.
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using checks::require_shape;

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using StridedMap = Eigen::Map<Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

std::int64_t padded_plane(Shape s) { return (std::int64_t{s.h} + 2) * (s.w + 2); }
std::int64_t wide_plane(Shape s) { return std::int64_t{s.h} * (s.w + 2); }

template <class T>
struct ReferenceFilters final : Filters {
  explicit ReferenceFilters(const FilterSpec& spec) : Filters(spec), bias(spec.bias.begin(), spec.bias.end()) {
    for (int tap = 0; tap < 9; ++tap) {
      taps[tap].resize(out_channels, in_channels);
      for (std::int64_t k = 0; k < out_channels; ++k) {
        for (std::int64_t c = 0; c < in_channels; ++c) taps[tap](k, c) = spec.weight[(k * in_channels + c) * 9 + tap];
      }
    }
  }

  std::array<Matrix<T>, 9> taps;  // (out_channels, in_channels) for each of the nine offsets, row order
  std::vector<T> bias;
};

template <class T>
class ReferenceConvPlan final : public ConvPlan {
 public:
  explicit ReferenceConvPlan(const ConvSpec& spec)
      : spec_(spec),
        input_(spec.input()),
        convolved_(spec.convolved()),
        output_(spec.output()),
        pools_(spec.pools()),
        epilogue_(spec.epilogue),
        filters_(static_cast<const ReferenceFilters<T>&>(*spec.filters)) {}

  // The padded source and the wide result of either direction, and the convolution's result before (its gradient after) the epilogue.
  std::int64_t scratch_bytes() const override {
    const std::int64_t channels = std::max(input_.c, convolved_.c);
    return (channels * padded_plane(input_) + channels * wide_plane(input_) + convolved_.size()) * std::int64_t{sizeof(T)};
  }

  void forward(Features in, Features out, Mask mask, void* scratch) override {
    require_shape("forward", "in", in.shape, input_);
    require_shape("forward", "out", out.shape, output_);
    const bool record = mask.data != nullptr && epilogue_ != Epilogue::kNone;
    if (record) require_shape("forward", "mask", mask.shape, convolved_);
    if (!record) mask = {};

    const Features convolved = pools_ ? Features{carve(scratch).convolved, convolved_} : out;
    T* values = static_cast<T*>(convolved.data);
    correlate(static_cast<const T*>(in.data), input_.c, values, convolved_.c, false, scratch);
    for (int k = 0; k < convolved_.c; ++k) {
      for (std::int64_t i = 0; i < convolved_.plane(); ++i) values[k * convolved_.plane() + i] += filters_.bias[k];
    }

    ReferenceBackend<T> backend;
    switch (epilogue_) {
      case Epilogue::kNone:
        return;
      case Epilogue::kRelu:
        return backend.relu(out, out, mask);
      case Epilogue::kReluMaxPool:
        // Rectifying after choosing gives the same values and the same choice wherever the largest is positive.
        backend.pool2x2(PoolKind::kMax, convolved, out, mask);
        if (record) forget_where_not_positive(values, static_cast<std::uint8_t*>(mask.data));
        return backend.relu(out, out, {});
      case Epilogue::kReluAveragePool:
        backend.relu(convolved, convolved, mask);
        return backend.pool2x2(PoolKind::kAverage, convolved, out, {});
    }
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) override {
    require_shape("gradient", "grad_out", grad_out.shape, output_);
    require_shape("gradient", "grad_in", grad_in.shape, input_);
    checks::require_loss_term("gradient", spec_, plus);
    if (epilogue_ != Epilogue::kNone) require_shape("gradient", "mask", mask.shape, convolved_);

    const Features grad{carve(scratch).convolved, convolved_};
    ReferenceBackend<T> backend;
    switch (epilogue_) {
      case Epilogue::kNone:
      case Epilogue::kRelu:
        std::copy_n(static_cast<const T*>(grad_out.data), convolved_.size(), static_cast<T*>(grad.data));
        break;
      case Epilogue::kReluMaxPool:
        backend.pool2x2_gradient(PoolKind::kMax, grad_out, mask, grad);
        break;
      case Epilogue::kReluAveragePool:
        backend.pool2x2_gradient(PoolKind::kAverage, grad_out, {}, grad);
        break;
    }
    if (epilogue_ != Epilogue::kNone) backend.relu_gradient(mask, grad);
    correlate(static_cast<const T*>(grad.data), convolved_.c, static_cast<T*>(grad_in.data), input_.c, true, scratch);
    if (const GramTerm* gram = std::get_if<GramTerm>(&plus)) backend.gram_gradient(*gram, grad_in, nullptr);
    if (const TotalVariationTerm* variation = std::get_if<TotalVariationTerm>(&plus)) {
      backend.total_variation(variation->x, input_, variation->scale, {grad_in.data, input_.size()}, variation->result);
    }
  }

 private:
  struct Scratch {
    T* padded;
    T* wide;
    T* convolved;
  };

  Scratch carve(void* scratch) const {
    const std::int64_t channels = std::max(input_.c, convolved_.c);
    T* padded = static_cast<T*>(scratch);
    T* wide = padded + channels * padded_plane(input_);
    return {padded, wide, wide + channels * wide_plane(input_)};
  }

  void forget_where_not_positive(const T* values, std::uint8_t* passes) const {
    for (std::int64_t i = 0; i < convolved_.size(); ++i) {
      if (!(values[i] > 0)) passes[i] = 0;
    }
  }

  // to (to_c, h, w) = from (from_c, h, w) correlated with the taps; adjoint: with the transposed operator. from may lie in
  // scratch.convolved.
  void correlate(const T* from, int from_c, T* to, int to_c, bool adjoint, void* scratch) const {
    const auto [padded, wide, convolved] = carve(scratch);
    const int h = input_.h;
    const int w = input_.w;
    std::fill_n(padded, from_c * padded_plane(input_), T{0});
    for (std::int64_t c = 0; c < from_c; ++c) {
      for (std::int64_t i = 0; i < h; ++i) {
        std::copy_n(from + (c * h + i) * w, w, padded + c * padded_plane(input_) + (i + 1) * (w + 2) + 1);
      }
    }
    // The two meaningless columns of the last row are left out: the last tap would read past the padded plane.
    const std::int64_t columns = wide_plane(input_) - 2;
    StridedMap<T> result(wide, to_c, columns, Eigen::OuterStride<>(wide_plane(input_)));
    result.setZero();
    for (int tap = 0; tap < 9; ++tap) {
      const StridedMap<T> source(padded + (tap / 3) * (w + 2) + tap % 3, from_c, columns, Eigen::OuterStride<>(padded_plane(input_)));
      if (adjoint) {
        result.noalias() += filters_.taps[8 - tap].transpose() * source;
      } else {
        result.noalias() += filters_.taps[tap] * source;
      }
    }
    for (std::int64_t c = 0; c < to_c; ++c) {
      for (std::int64_t i = 0; i < h; ++i) std::copy_n(wide + c * wide_plane(input_) + i * (w + 2), w, to + (c * h + i) * w);
    }
  }

  ConvSpec spec_;
  Shape input_;
  Shape convolved_;
  Shape output_;
  bool pools_;
  Epilogue epilogue_;
  const ReferenceFilters<T>& filters_;
};

}  // namespace

template <class T>
std::unique_ptr<Filters> ReferenceBackend<T>::load_filters(const FilterSpec& spec) {
  checks::require_loadable(spec);
  return std::make_unique<ReferenceFilters<T>>(spec);
}

template <class T>
std::unique_ptr<ConvPlan> ReferenceBackend<T>::plan_conv3x3(const ConvSpec& spec) {
  checks::require_plannable(spec);
  return std::make_unique<ReferenceConvPlan<T>>(spec);
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
