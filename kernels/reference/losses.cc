// Gram matrices, feature distance, total variation.
#include <Eigen/Core>
#include <algorithm>

#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using checks::require_gram_term;
using checks::require_positive;
using checks::require_shape;
using checks::require_size;

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Pixels that gram widens to double at a time: bounds its scratch for any picture.
constexpr std::int64_t kGramPixels = 1024;

}  // namespace

template <class T>
std::int64_t ReferenceBackend<T>::gram_scratch_bytes(Shape shape) const {
  const std::int64_t c = shape.c;
  return (c * c + c * std::min(shape.plane(), kGramPixels)) * std::int64_t{sizeof(double)};
}

template <class T>
void ReferenceBackend<T>::gram(Features f, Vector g, void* scratch) {
  require_positive("gram", "f", f.shape);
  const std::int64_t c = f.shape.c;
  const std::int64_t pixels = f.shape.plane();
  require_size("gram", "g", g.size, c * c);
  const Eigen::Map<const Matrix<T>> features(static_cast<const T*>(f.data), c, pixels);
  Eigen::Map<Matrix<double>> sum(static_cast<double*>(scratch), c, c);
  sum.setZero();
  for (std::int64_t first = 0; first < pixels; first += kGramPixels) {
    const std::int64_t count = std::min(pixels - first, kGramPixels);
    Eigen::Map<Matrix<double>> part(sum.data() + c * c, c, count);
    part = features.middleCols(first, count).template cast<double>();
    sum.template selfadjointView<Eigen::Lower>().rankUpdate(part);
  }
  T* out = static_cast<T*>(g.data);
  for (std::int64_t i = 0; i < c; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) out[i * c + j] = out[j * c + i] = static_cast<T>(sum(i, j) / static_cast<double>(pixels));
  }
}

template <class T>
void ReferenceBackend<T>::gram_gradient(const GramTerm& term, Features grad_f, void*) {
  require_gram_term("gram_gradient", term, grad_f.shape);
  const auto& [f, grad_g, scale] = term;
  const std::int64_t c = f.shape.c;
  const Eigen::Map<const Matrix<T>> features(static_cast<const T*>(f.data), c, f.shape.plane());
  const Eigen::Map<const Matrix<T>> weights(static_cast<const T*>(grad_g.data), c, c);
  Eigen::Map<Matrix<T>> grad(static_cast<T*>(grad_f.data), c, f.shape.plane());
  grad.noalias() += static_cast<T>(scale) * weights * features;
}

template <class T>
void ReferenceBackend<T>::feature_distance(Features f, Features p, double scale, Features grad_f, double* result) {
  require_shape("feature_distance", "p", p.shape, f.shape);
  if (grad_f.data != nullptr) require_shape("feature_distance", "grad_f", grad_f.shape, f.shape);
  const T* a = static_cast<const T*>(f.data);
  const T* b = static_cast<const T*>(p.data);
  T* grad = static_cast<T*>(grad_f.data);
  double sum = 0;
  for (std::int64_t i = 0; i < f.shape.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
    if (grad != nullptr) grad[i] = static_cast<T>(grad[i] + scale * difference);
  }
  *result = sum;
}

template <class T>
void ReferenceBackend<T>::total_variation(Vector x, Shape shape, double scale, Vector grad, double* result) {
  require_size("total_variation", "x", x.size, shape.size());
  if (grad.data != nullptr) require_size("total_variation", "grad", grad.size, shape.size());
  const T* pixel = static_cast<const T*>(x.data);
  T* g = static_cast<T*>(grad.data);
  double sum = 0;
  std::int64_t at = 0;
  for (int c = 0; c < shape.c; ++c) {
    for (int i = 0; i < shape.h; ++i) {
      for (int j = 0; j < shape.w; ++j, ++at) {
        const double here = pixel[at];
        const double down = i + 1 < shape.h ? pixel[at + shape.w] - here : 0.0;
        const double right = j + 1 < shape.w ? pixel[at + 1] - here : 0.0;
        const double up = i > 0 ? here - pixel[at - shape.w] : 0.0;
        const double left = j > 0 ? here - pixel[at - 1] : 0.0;
        sum += down * down + right * right;
        if (g != nullptr) g[at] = static_cast<T>(g[at] + scale * (up - down + left - right));
      }
    }
  }
  *result = sum;
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
