// Comparators of arrays of numbers. Each returns an assertion result for EXPECT_TRUE whose message names the worst element.
//
// They accept: a comparison passes only where `error <= bound` holds, so that a NaN anywhere fails.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace impasto::testing_support {

// |actual - expected| <= element * S for every element, S = max(max |expected|, floor), and
// ||actual - expected|| <= norm * max(||expected||, floor * sqrt(n)).
// floor: magnitude the values would have without cancellation, where expected ones may by chance all be small.
struct Tolerance {
  double element = 0;
  double norm = 0;
  double floor = 0;

  Tolerance with_floor(double magnitude) const { return {element, norm, magnitude}; }
  Tolerance times(double factor) const { return {element * factor, norm * factor, floor}; }
};

// Same size, all finite on both sides, within the tolerance.
testing::AssertionResult close(std::span<const double> actual, std::span<const double> expected, Tolerance tolerance);

// Same size, all finite on both sides, equal (0 equals -0).
testing::AssertionResult equal(std::span<const double> actual, std::span<const double> expected);

// Same size, the same 64 bits in every element.
testing::AssertionResult same_bits(std::span<const double> actual, std::span<const double> expected);

std::vector<double> widen(std::span<const float> values);

}  // namespace impasto::testing_support
