// The B3-spline smoothing of the "a trous" cascade.
#include <cstdint>

#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

// Index i of an endless line on which 0 .. n-1 is mirrored at half samples (period 2n: 0 .. n-1, n-1 .. 0), brought into 0 .. n-1.
std::int64_t fold(std::int64_t i, std::int64_t n) {
  const std::int64_t period = 2 * n;
  const std::int64_t in_period = ((i % period) + period) % period;
  return in_period < n ? in_period : period - 1 - in_period;
}

// One line of `count` elements, `stride` apart.
template <class T>
void smooth_line(const T* in, T* out, int count, std::int64_t stride, int step) {
  constexpr double kTaps[5] = {1.0 / 16, 4.0 / 16, 6.0 / 16, 4.0 / 16, 1.0 / 16};
  for (int i = 0; i < count; ++i) {
    double sum = 0;
    for (int k = -2; k <= 2; ++k) sum += kTaps[k + 2] * in[stride * fold(i + std::int64_t{k} * step, count)];
    out[stride * i] = static_cast<T>(sum);
  }
}

}  // namespace

template <class T>
void ReferenceBackend<T>::smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch) {
  checks::require_positive("smooth", "shape", shape);
  checks::require_size("smooth", "in", in.size, shape.size());
  checks::require_size("smooth", "out", out.size, shape.size());
  checks::require_size("smooth", "sum", sum.size, shape.size());
  checks::require_size("smooth", "scratch", scratch.size, shape.size());
  if (step < 1) throw ShapeError("smooth: step is " + std::to_string(step) + ", must be at least 1");
  const T* from = static_cast<const T*>(in.data);
  T* rows = static_cast<T*>(scratch.data);
  T* to = static_cast<T*>(out.data);
  for (std::int64_t c = 0; c < shape.c; ++c) {
    const std::int64_t plane = c * shape.plane();
    for (std::int64_t i = 0; i < shape.h; ++i) smooth_line(from + plane + i * shape.w, rows + plane + i * shape.w, shape.w, 1, step);
    for (std::int64_t j = 0; j < shape.w; ++j) smooth_line(rows + plane + j, to + plane + j, shape.h, shape.w, step);
  }
  T* total = static_cast<T*>(sum.data);
  for (std::int64_t i = 0; i < shape.size(); ++i) total[i] = static_cast<T>(total[i] + gain * to[i]);
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
