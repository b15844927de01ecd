// What the optimisers compute with.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using checks::require_size;

}  // namespace

template <class T>
void ReferenceBackend<T>::copy(Vector from, Vector to) {
  require_size("copy", "to", to.size, from.size);
  std::copy_n(static_cast<const T*>(from.data), from.size, static_cast<T*>(to.data));
}

template <class T>
void ReferenceBackend<T>::dots(std::span<const Vector> many, std::span<const Vector> few, double* result) {
  if (few.size() > kMaxFew) {
    throw ShapeError("dots: few holds " + std::to_string(few.size()) + " vectors, at most " + std::to_string(kMaxFew) + " are accepted");
  }
  for (Vector a : many) {
    for (Vector b : few) {
      require_size("dots", "a vector", a.size, b.size);
      const T* from_a = static_cast<const T*>(a.data);
      const T* from_b = static_cast<const T*>(b.data);
      double sum = 0;
      for (std::int64_t i = 0; i < a.size; ++i) sum += static_cast<double>(from_a[i]) * static_cast<double>(from_b[i]);
      *result++ = sum;
    }
  }
}

template <class T>
void ReferenceBackend<T>::combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out) {
  require_size("combine", "coefficients", std::ssize(coefficients), std::ssize(terms));
  for (Vector term : terms) require_size("combine", "a term", term.size, out.size);
  T* to = static_cast<T*>(out.data);
  for (std::int64_t i = 0; i < out.size; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < terms.size(); ++k) sum += coefficients[k] * static_cast<const T*>(terms[k].data)[i];
    to[i] = static_cast<T>(sum);
  }
}

template <class T>
void ReferenceBackend<T>::take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken) {
  require_size("take_step", "x", x.size, direction.size);
  *taken = std::min(length, longest / std::sqrt(*squared / static_cast<double>(direction.size)));
  combine(std::array{1.0, *taken}, std::array{x, direction}, x);
}

template <class T>
void ReferenceBackend<T>::compress(Vector v, CompactVector to) {
  require_size("compress", "to", to.size, v.size);
  T* values = static_cast<T*>(v.data);
  for (std::int64_t first = 0; first < v.size; first += kCompactRun) {
    const std::int64_t last = std::min<std::int64_t>(first + kCompactRun, v.size);
    double largest = 0;
    bool finite = true;
    for (std::int64_t i = first; i < last; ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(values[i])));
      finite = finite && std::isfinite(values[i]);
    }
    const double unit = largest / kCompactDigits;
    for (std::int64_t i = first; i < last; ++i) {
      if (!finite) {
        values[i] = std::numeric_limits<T>::quiet_NaN();
      } else {
        values[i] = largest < kCompactLeast ? T{0} : static_cast<T>(std::nearbyint(values[i] / unit) * unit);
      }
    }
  }
  std::copy_n(values, v.size, static_cast<T*>(to.data));
}

namespace {

std::vector<Vector> as_vectors(std::span<const CompactVector> compact) {
  std::vector<Vector> vectors;
  for (const CompactVector& c : compact) vectors.push_back({c.data, c.size});
  return vectors;
}

}  // namespace

template <class T>
void ReferenceBackend<T>::dots(std::span<const CompactVector> many, std::span<const Vector> few, double* result) {
  dots(as_vectors(many), few, result);
}

template <class T>
void ReferenceBackend<T>::combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v,
                                  Vector out) {
  std::vector<Vector> all = as_vectors(terms);
  std::vector<double> factors(coefficients.begin(), coefficients.end());
  all.insert(all.begin(), v);
  factors.insert(factors.begin(), scale);
  combine(factors, all, out);
}

template <class T>
void ReferenceBackend<T>::norms(Vector v, double* result) {
  const T* from = static_cast<const T*>(v.data);
  double sum = 0;
  double largest = 0;
  for (std::int64_t i = 0; i < v.size; ++i) {
    const double magnitude = std::abs(static_cast<double>(from[i]));
    sum += magnitude;
    largest = std::max(largest, magnitude);
  }
  result[0] = sum;
  result[1] = std::isnan(sum) ? sum : largest;
}

template <class T>
void ReferenceBackend<T>::adam(Vector grad, const AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x) {
  require_size("adam", "m", m.size, grad.size);
  require_size("adam", "v", v.size, grad.size);
  require_size("adam", "x", x.size, grad.size);
  const T* g = static_cast<const T*>(grad.data);
  T* first = static_cast<T*>(m.data);
  T* second = static_cast<T*>(v.data);
  T* at = static_cast<T*>(x.data);
  const double unbias1 = 1 - std::pow(parameters.beta1, static_cast<double>(t));
  const double unbias2 = 1 - std::pow(parameters.beta2, static_cast<double>(t));
  for (std::int64_t i = 0; i < grad.size; ++i) {
    const double slope = g[i];
    const double mean = parameters.beta1 * first[i] + (1 - parameters.beta1) * slope;
    const double square = parameters.beta2 * second[i] + (1 - parameters.beta2) * slope * slope;
    first[i] = static_cast<T>(mean);
    second[i] = static_cast<T>(square);
    at[i] = static_cast<T>(at[i] - parameters.step_size * (mean / unbias1) / (std::sqrt(square / unbias2) + parameters.epsilon));
  }
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
