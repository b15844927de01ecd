#include "tests/support/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/support/compare.h"

namespace impasto::testing_support {
namespace {

TEST(Random, IsAFunctionOfSeedAndIndexAlone) {
  const std::vector<double> longer = normal(1, 1000);
  EXPECT_TRUE(same_bits(normal(1, 100), std::span(longer).first(100)));
  EXPECT_FALSE(same_bits(normal(2, 1000), longer));
}

TEST(Random, ValuesAreExactInFloat32) {
  for (const std::vector<double>& values : {normal(1, 1000), uniform(1, 1000, -3, 7), integers(1, 1000, -5, 5), shuffled(1, 1000)}) {
    EXPECT_TRUE(equal(widen(narrow(values)), values));
  }
}

TEST(Random, HasTheMomentsAndRangeItPromises) {
  constexpr int kCount = 100'000;
  double sum = 0;
  double squares = 0;
  for (double value : normal(3, kCount, 2.0)) {
    sum += value;
    squares += value * value;
  }
  // Five standard deviations of the estimates.
  EXPECT_LE(std::abs(sum / kCount), 5 * 2.0 / std::sqrt(kCount));
  EXPECT_LE(std::abs(squares / kCount - 4.0), 5 * 4.0 * std::sqrt(2.0 / kCount));

  const std::vector<double> flat = uniform(4, kCount, -1, 3);
  EXPECT_GE(*std::min_element(flat.begin(), flat.end()), -1);
  EXPECT_LE(*std::max_element(flat.begin(), flat.end()), 3);
  EXPECT_LE(std::abs(std::accumulate(flat.begin(), flat.end(), 0.0) / kCount - 1), 5 * 4 / std::sqrt(12.0 * kCount));

  std::vector<int> seen(4);
  for (double value : integers(5, 1000, -2, 1)) ++seen.at(static_cast<std::size_t>(value + 2));
  for (int count : seen) EXPECT_GT(count, 150);

  std::vector<double> order = shuffled(6, 1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace impasto::testing_support
