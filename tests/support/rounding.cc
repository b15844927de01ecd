#include "tests/support/rounding.h"

#include <algorithm>
#include <cmath>

namespace impasto::testing_support {
namespace {

constexpr int kBits = 8;
// The smallest number above 0 is 2^kLeast, the largest exponent of frexp's kMost.
constexpr int kLeast = -133;
constexpr int kMost = 128;

double bfloat16(double value) {
  const double narrow = static_cast<float>(value);
  if (!std::isfinite(narrow) || narrow == 0) return narrow;
  int exponent = 0;
  std::frexp(narrow, &exponent);
  const int unit = std::max(exponent - kBits, kLeast);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(narrow, -unit)), unit);
  std::frexp(rounded, &exponent);
  return exponent > kMost ? std::copysign(HUGE_VAL, rounded) : rounded;
}

}  // namespace

std::vector<double> stored(std::span<const double> values, Precision precision) {
  std::vector<double> made(values.begin(), values.end());
  if (precision == Precision::kBf16) std::transform(made.begin(), made.end(), made.begin(), bfloat16);
  return made;
}

}  // namespace impasto::testing_support
