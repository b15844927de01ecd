// ReLU and 2x2 pooling.
#include <algorithm>

#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using checks::require_poolable;
using checks::require_shape;

// Offsets, in row order, of the four elements under one pooled element.
struct Window {
  std::int64_t at[4];
};

// Calls f(pooled index, window) for every pooled element of a (c, h, w) activation.
template <class F>
void for_each_window(Shape in, F f) {
  const Shape out = pooled(in);
  std::int64_t o = 0;
  for (int c = 0; c < out.c; ++c) {
    for (int i = 0; i < out.h; ++i) {
      for (int j = 0; j < out.w; ++j, ++o) {
        const std::int64_t first = c * in.plane() + std::int64_t{2} * i * in.w + 2 * j;
        f(o, Window{{first, first + 1, first + in.w, first + in.w + 1}});
      }
    }
  }
}

}  // namespace

template <class T>
void ReferenceBackend<T>::relu(Features in, Features out, Mask mask) {
  require_shape("relu", "out", out.shape, in.shape);
  if (mask.data != nullptr) require_shape("relu", "mask", mask.shape, in.shape);
  const T* from = static_cast<const T*>(in.data);
  T* to = static_cast<T*>(out.data);
  auto* passes = static_cast<std::uint8_t*>(mask.data);
  for (std::int64_t i = 0; i < in.shape.size(); ++i) {
    const T value = from[i];
    to[i] = value <= 0 ? T{0} : value;  // in this form NaN stays NaN, so a run that has gone wrong shows in its loss
    if (passes != nullptr) passes[i] = value > 0;
  }
}

template <class T>
void ReferenceBackend<T>::relu_gradient(Mask mask, Features grad) {
  require_shape("relu_gradient", "mask", mask.shape, grad.shape);
  const auto* passes = static_cast<const std::uint8_t*>(mask.data);
  T* g = static_cast<T*>(grad.data);
  for (std::int64_t i = 0; i < grad.shape.size(); ++i) {
    if (!passes[i]) g[i] = 0;
  }
}

template <class T>
void ReferenceBackend<T>::pool2x2(PoolKind kind, Features in, Features out, Mask mask) {
  require_poolable("pool2x2", "in", in.shape);
  require_shape("pool2x2", "out", out.shape, pooled(in.shape));
  const T* from = static_cast<const T*>(in.data);
  T* to = static_cast<T*>(out.data);
  if (kind == PoolKind::kAverage) {
    for_each_window(in.shape, [&](std::int64_t o, Window window) {
      to[o] = (from[window.at[0]] + from[window.at[1]] + from[window.at[2]] + from[window.at[3]]) / 4;
    });
    return;
  }
  auto* passes = static_cast<std::uint8_t*>(mask.data);
  if (passes != nullptr) {
    require_shape("pool2x2", "mask", mask.shape, in.shape);
    std::fill_n(passes, in.shape.size(), std::uint8_t{0});
  }
  for_each_window(in.shape, [&](std::int64_t o, Window window) {
    std::int64_t largest = window.at[0];
    for (std::int64_t i : window.at) {
      if (from[i] > from[largest] || from[i] != from[i]) largest = i;  // strictly larger or NaN, as PyTorch
    }
    to[o] = from[largest];
    if (passes != nullptr) passes[largest] = 1;
  });
}

template <class T>
void ReferenceBackend<T>::pool2x2_gradient(PoolKind kind, Features grad_out, Mask mask, Features grad_in) {
  require_poolable("pool2x2_gradient", "grad_in", grad_in.shape);
  require_shape("pool2x2_gradient", "grad_out", grad_out.shape, pooled(grad_in.shape));
  if (kind == PoolKind::kMax) require_shape("pool2x2_gradient", "mask", mask.shape, grad_in.shape);
  const T* from = static_cast<const T*>(grad_out.data);
  const auto* passes = static_cast<const std::uint8_t*>(mask.data);
  fill_zero(grad_in);
  T* to = static_cast<T*>(grad_in.data);
  for_each_window(grad_in.shape, [&](std::int64_t o, Window window) {
    for (std::int64_t i : window.at) {
      if (kind == PoolKind::kAverage) {
        to[i] = from[o] / 4;
      } else if (passes[i]) {
        to[i] = from[o];
      }
    }
  });
}

template <class T>
void ReferenceBackend<T>::fill_zero(Features features) {
  std::fill_n(static_cast<T*>(features.data), features.shape.size(), T{0});
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
