// What storing does to numbers, worked out apart from the backends: from the definition of the formats.
#pragma once

#include <span>
#include <vector>

#include "impasto/precision.h"

namespace impasto::testing_support {

// As features of that precision hold the values: kBf16 float32's nearest and then 8 significant bits, to the nearest, ties to even, with
// float32's exponents; others leave them as they are.
std::vector<double> stored(std::span<const double> values, Precision precision);

}  // namespace impasto::testing_support
