#include "engine/counter_random.h"

#include <gtest/gtest.h>

namespace impasto {
namespace {

// Pictures made from a seed must stay the same for ever, on every machine.
TEST(CounterRandom, BitsAreFixed) {
  EXPECT_EQ(counter_bits(0, 0), 0xe220a8397b1dcdafu);  // SplitMix64's first output for the state 0
  EXPECT_EQ(counter_bits(0, 1), 0x6e789e6aa1b965f4u);  // and its second
  EXPECT_NE(counter_bits(1, 0), counter_bits(2, 0));
}

TEST(CounterRandom, NormalHasMeanZeroAndVarianceOne) {
  constexpr int kSamples = 200'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double v = counter_normal(7, i);
    sum += v;
    squares += v * v;
  }
  EXPECT_NEAR(sum / kSamples, 0.0, 5.0 / std::sqrt(kSamples));
  EXPECT_NEAR(squares / kSamples, 1.0, 5.0 * std::sqrt(2.0 / kSamples));
}

}  // namespace
}  // namespace impasto
