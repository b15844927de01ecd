// The comparators' own proof: what they must not let pass.
#include "tests/support/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/support/random.h"

namespace impasto::testing_support {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
// As loose as any sane test would be.
constexpr Tolerance kLoose{0.1, 0.1};
constexpr Tolerance kTight{1e-6, 1e-6};

TEST(Close, AcceptsEqualAndNearArrays) {
  const std::vector<double> expected = normal(1, 1000);
  std::vector<double> actual = expected;
  EXPECT_TRUE(close(actual, expected, {0, 0}));
  for (double& value : actual) value += 1e-8;
  EXPECT_TRUE(close(actual, expected, kTight));
  EXPECT_TRUE(close({}, {}, kTight));
}

TEST(Close, RejectsNanOnEitherSideOrBoth) {
  const std::vector<double> good = normal(1, 1000);
  std::vector<double> bad = good;
  bad[517] = kNan;
  const Tolerance endless{kInf, kInf};
  for (Tolerance tolerance : {kLoose, kTight, endless}) {
    EXPECT_FALSE(close(bad, good, tolerance));
    EXPECT_FALSE(close(good, bad, tolerance));
    EXPECT_FALSE(close(bad, bad, tolerance));
  }
  EXPECT_FALSE(equal(bad, bad));
}

TEST(Close, RejectsInfinityOnEitherSideOrBoth) {
  const std::vector<double> good = normal(2, 1000);
  for (double infinity : {kInf, -kInf}) {
    std::vector<double> bad = good;
    bad[0] = infinity;
    EXPECT_FALSE(close(bad, good, kLoose));
    EXPECT_FALSE(close(good, bad, kLoose));
    EXPECT_FALSE(close(bad, bad, kLoose));
    EXPECT_FALSE(equal(bad, bad));
  }
}

TEST(Close, RejectsAToleranceThatIsNan) {
  const std::vector<double> good = normal(2, 10);
  EXPECT_FALSE(close(good, good, {kNan, 1}));
  EXPECT_FALSE(close(good, good, {1, kNan}));
}

TEST(Close, RejectsFlippedSigns) {
  const std::vector<double> expected = normal(3, 1000);
  std::vector<double> all = expected;
  for (double& value : all) value = -value;
  EXPECT_FALSE(close(all, expected, kLoose));
  std::vector<double> one = expected;
  one[400] = -one[400];
  EXPECT_FALSE(close(one, expected, kTight));
}

TEST(Close, RejectsOneWrongElementInAMillion) {
  const std::vector<double> expected = normal(4, 1'000'000);
  for (std::size_t at : {std::size_t{0}, std::size_t{123'456}, expected.size() - 1}) {
    std::vector<double> actual = expected;
    actual[at] += 1e-3;  // 1e-6 in norm: only the check of every element sees it
    const testing::AssertionResult result = close(actual, expected, {1e-4, 1e-4});
    EXPECT_FALSE(result);
    EXPECT_NE(std::string(result.message()).find("the worst, " + std::to_string(at)), std::string::npos) << result.message();
  }
}

TEST(Close, RejectsASmallErrorEverywhereByItsNorm) {
  const std::vector<double> expected = normal(5, 1000);
  std::vector<double> actual = expected;
  for (double& value : actual) value *= 1.0005;  // below 1e-3 in each element
  EXPECT_TRUE(close(actual, expected, {1e-3, 1e-3}));
  EXPECT_FALSE(close(actual, expected, {1e-3, 1e-4}));
}

TEST(Close, RejectsAScaledArray) {
  const std::vector<double> expected = normal(6, 1000);
  for (double factor : {0.5, 2.0, 1e9, 1e-9}) {
    std::vector<double> actual = expected;
    for (double& value : actual) value *= factor;
    EXPECT_FALSE(close(actual, expected, kLoose)) << factor;
  }
}

TEST(Close, RejectsZerosForNumbersAndNumbersForZeros) {
  const std::vector<double> numbers = normal(7, 1000);
  const std::vector<double> zeros(1000);
  EXPECT_FALSE(close(zeros, numbers, kLoose));
  EXPECT_FALSE(close(numbers, zeros, kLoose));
  std::vector<double> tiny(1000);
  tiny[10] = 1e-300;
  EXPECT_FALSE(close(tiny, zeros, kLoose));
  EXPECT_TRUE(close(zeros, zeros, kTight));
}

TEST(Close, RejectsAnotherSize) {
  const std::vector<double> expected = normal(8, 1000);
  EXPECT_FALSE(close(std::span(expected).first(999), expected, kLoose));
  EXPECT_FALSE(close(expected, std::span(expected).first(999), kLoose));
  EXPECT_FALSE(close({}, expected, kLoose));
  EXPECT_FALSE(close(expected, {}, kLoose));
  EXPECT_FALSE(same_bits(expected, {}));
}

TEST(Close, RejectsHugeErrorsWhoseSquaresOverflow) {
  const std::vector<double> expected(10, 1e200);
  std::vector<double> actual = expected;
  actual[3] = -1e200;
  EXPECT_FALSE(close(actual, expected, kLoose));
  for (double& value : actual) value = 1.01e200;
  EXPECT_FALSE(close(actual, expected, {0.1, 1e-3}));
  EXPECT_TRUE(close(actual, expected, {0.1, 0.1}));
}

TEST(Close, MeasuresAgainstTheFloorWhereExpectedValuesCancel) {
  const std::vector<double> expected{1e-9};
  const std::vector<double> actual{2e-9};
  EXPECT_FALSE(close(actual, expected, kTight));
  EXPECT_TRUE(close(actual, expected, kTight.with_floor(1)));
  EXPECT_FALSE(close(std::vector<double>{1e-3}, expected, kTight.with_floor(1)));
}

TEST(Equal, RejectsTheSmallestDifference) {
  const std::vector<double> expected = normal(9, 1000);
  std::vector<double> actual = expected;
  EXPECT_TRUE(equal(actual, expected));
  actual[999] = std::nextafter(actual[999], kInf);
  EXPECT_FALSE(equal(actual, expected));
  EXPECT_TRUE(equal(std::vector<double>{-0.0}, std::vector<double>{0.0}));
}

TEST(SameBits, RejectsTheSmallestDifferenceAndTheSignOfZero) {
  const std::vector<double> expected{0.0, 1.0, kNan};
  EXPECT_TRUE(same_bits(expected, expected));
  EXPECT_FALSE(same_bits(std::vector<double>{-0.0, 1.0, kNan}, expected));
  EXPECT_FALSE(same_bits(std::vector<double>{0.0, std::nextafter(1.0, 2.0), kNan}, expected));
}

}  // namespace
}  // namespace impasto::testing_support
