// What storing does to numbers, worked out apart from the backends: from the definition of the formats.
#pragma once

#include <span>
#include <vector>

#include "impasto/precision.h"

namespace impasto::testing_support {

// As features of that precision hold the values: float32's nearest and then, to the nearest, ties to even, kFp16 11 significant bits down
// to multiples of 2^-24, infinity past 65504, and kBf16 8 bits with float32's exponents; others leave them as they are.
std::vector<double> stored(std::span<const double> values, Precision precision);

}  // namespace impasto::testing_support
