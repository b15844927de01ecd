#include "tests/support/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iomanip>

namespace impasto::testing_support {
namespace {

testing::AssertionResult failure() { return testing::AssertionFailure() << std::setprecision(17); }

testing::AssertionResult same_size_and_finite(std::span<const double> actual, std::span<const double> expected) {
  if (actual.size() != expected.size())
    return failure() << "has " << actual.size() << " elements where " << expected.size() << " are expected";
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!std::isfinite(expected[i])) return failure() << "the expected element " << i << " of " << expected.size() << " is " << expected[i];
    if (!std::isfinite(actual[i])) {
      return failure() << "element " << i << " of " << actual.size() << " is " << actual[i] << " where " << expected[i] << " is expected";
    }
  }
  return testing::AssertionSuccess();
}

double largest_magnitude(std::span<const double> values) {
  double largest = 0;
  for (double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

testing::AssertionResult close(std::span<const double> actual, std::span<const double> expected, Tolerance tolerance) {
  if (testing::AssertionResult comparable = same_size_and_finite(actual, expected); !comparable) return comparable;
  const double scale = std::max(largest_magnitude(expected), tolerance.floor);
  std::size_t worst = 0;
  double worst_error = 0;
  std::size_t outside = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    if (!(error <= tolerance.element * scale)) ++outside;
    if (!(error <= worst_error)) {
      worst_error = error;
      worst = i;
    }
  }
  if (outside != 0) {
    return failure() << outside << " of " << actual.size() << " elements are outside the tolerance; the worst, " << worst << ", is "
                     << actual[worst] << " where " << expected[worst] << " is expected: off by " << worst_error / scale << " of the scale "
                     << scale << ", tolerance " << tolerance.element;
  }
  // In units of the scale, so that squares neither overflow nor vanish. With scale 0 every element was equal.
  if (scale == 0) return testing::AssertionSuccess();
  double error_squared = 0;
  double expected_squared = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    error_squared += std::pow((actual[i] - expected[i]) / scale, 2);
    expected_squared += std::pow(expected[i] / scale, 2);
  }
  const double floor = tolerance.floor / scale * std::sqrt(static_cast<double>(actual.size()));
  const double relative = std::sqrt(error_squared) / std::max(std::sqrt(expected_squared), floor);
  if (!(relative <= tolerance.norm)) {
    return failure() << "the norm of the difference is " << relative << " of the expected norm, tolerance " << tolerance.norm
                     << "; the worst element, " << worst << " of " << actual.size() << ", is " << actual[worst] << " where "
                     << expected[worst] << " is expected";
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult equal(std::span<const double> actual, std::span<const double> expected) { return close(actual, expected, {0, 0}); }

testing::AssertionResult same_bits(std::span<const double> actual, std::span<const double> expected) {
  if (actual.size() != expected.size())
    return failure() << "has " << actual.size() << " elements where " << expected.size() << " are expected";
  std::size_t different = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(actual[i]) == std::bit_cast<std::uint64_t>(expected[i])) continue;
    if (different++ == 0) first = i;
  }
  if (different == 0) return testing::AssertionSuccess();
  return failure() << different << " of " << actual.size() << " elements differ; the first, " << first << ", is " << actual[first]
                   << " where " << expected[first] << " is expected, to the bit";
}

std::vector<double> widen(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace impasto::testing_support
