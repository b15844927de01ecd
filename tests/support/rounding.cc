#include "tests/support/rounding.h"

#include <algorithm>
#include <cmath>

namespace impasto::testing_support {
namespace {

struct Format {
  int bits;
  // The smallest number above 0 is 2^least, the largest exponent of frexp's `most`.
  int least;
  int most;
};

constexpr Format kBinary16{11, -24, 16};
constexpr Format kBfloat16{8, -133, 128};

double rounded(double value, const Format& format) {
  const double narrow = static_cast<float>(value);
  if (!std::isfinite(narrow) || narrow == 0) return narrow;
  int exponent = 0;
  std::frexp(narrow, &exponent);
  const int unit = std::max(exponent - format.bits, format.least);
  const double nearest = std::ldexp(std::nearbyint(std::ldexp(narrow, -unit)), unit);
  std::frexp(nearest, &exponent);
  return exponent > format.most ? std::copysign(HUGE_VAL, nearest) : nearest;
}

}  // namespace

std::vector<double> stored(std::span<const double> values, Precision precision) {
  std::vector<double> made(values.begin(), values.end());
  if (precision != Precision::kFp16 && precision != Precision::kBf16) return made;
  for (double& value : made) value = rounded(value, precision == Precision::kFp16 ? kBinary16 : kBfloat16);
  return made;
}

}  // namespace impasto::testing_support
