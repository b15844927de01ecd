// What the gradient tests share: the double reference, and central finite differences.
#pragma once

#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "tests/support/random.h"
#include "tests/support/workbench.h"

namespace impasto::testing_support {

inline std::unique_ptr<Backend> double_reference() {
  BackendOptions options;
  options.kind = BackendKind::kReferenceDouble;
  return make_backend(options);
}

// Step of the differences; tolerance::kFiniteDifference is derived from it.
constexpr double kStep = 1e-5;

inline double dot(std::span<const double> a, std::span<const double> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// dL/dx at x, element by element.
inline std::vector<double> finite_differences(const std::function<double(std::span<const double>)>& loss, std::vector<double> x) {
  std::vector<double> slopes;
  for (double& element : x) {
    const double centre = element;
    element = centre + kStep;
    const double above = loss(x);
    element = centre - kStep;
    const double below = loss(x);
    element = centre;
    slopes.push_back((above - below) / (2 * kStep));
  }
  return slopes;
}

// Small enough to differentiate in every element: one pixel, one row, one column, odd, even, not square, several channels.
inline std::vector<Shape> small_shapes() {
  return {{1, 1, 1}, {3, 1, 1}, {2, 1, 7}, {2, 6, 1}, {1, 2, 2}, {3, 2, 3}, {2, 5, 3}, {3, 4, 6}, {5, 7, 5}, {1, 9, 8}};
}

}  // namespace impasto::testing_support
