#include "tests/support/rounding.h"

#include <gtest/gtest.h>

#include <cmath>

namespace impasto::testing_support {
namespace {

using Numbers = std::vector<double>;

TEST(Rounding, OfBfloat16ByHand) {
  // 8 bits: 1, 1 + 2^-7, ...; 257 lies in the middle of 256 and 258, 259 of 258 and 260: to the even ones.
  EXPECT_EQ(stored(Numbers{1, 1 + 0x1p-7, 1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20, 1 + 0x3p-8}, Precision::kBf16),
            (Numbers{1, 1 + 0x1p-7, 1, 1 + 0x1p-7, 1 + 0x1p-6}));
  EXPECT_EQ(stored(Numbers{257, 259, -257, 0, 255}, Precision::kBf16), (Numbers{256, 260, -256, 0, 255}));
  // The largest, and what rounds to infinity.
  EXPECT_EQ(stored(Numbers{0x1.fep127, 0x1.fefp127, -0x1.ffp127}, Precision::kBf16), (Numbers{0x1.fep127, 0x1.fep127, -HUGE_VAL}));
  // The smallest above 0, and below half of it.
  EXPECT_EQ(stored(Numbers{0x1p-133, 0x1.8p-133, 0x0.7p-133}, Precision::kBf16), (Numbers{0x1p-133, 0x1p-132, 0}));
  // By way of float32: 1 + 2^-8 + 2^-30 is the middle there.
  EXPECT_EQ(stored(Numbers{1 + 0x1p-8 + 0x1p-30}, Precision::kBf16), Numbers{1});
  EXPECT_TRUE(std::isnan(stored(Numbers{std::nan("")}, Precision::kBf16)[0]));
  EXPECT_EQ(stored(Numbers{HUGE_VAL}, Precision::kBf16), Numbers{HUGE_VAL});
}

TEST(Rounding, OfBinary16ByHand) {
  // 11 bits: 2049 lies in the middle of 2048 and 2050, 2051 of 2050 and 2052: to the even ones.
  EXPECT_EQ(stored(Numbers{1, 1 + 0x1p-10, 1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-20, 1 + 0x3p-11}, Precision::kFp16),
            (Numbers{1, 1 + 0x1p-10, 1, 1 + 0x1p-10, 1 + 0x1p-9}));
  EXPECT_EQ(stored(Numbers{2049, 2051, -2049, 0, 2047}, Precision::kFp16), (Numbers{2048, 2052, -2048, 0, 2047}));
  // The largest, and what rounds to infinity.
  EXPECT_EQ(stored(Numbers{65504, 65519, -65520}, Precision::kFp16), (Numbers{65504, 65504, -HUGE_VAL}));
  // Below 2^-14 multiples of 2^-24.
  EXPECT_EQ(stored(Numbers{0x1p-14, 0x1p-15 + 0x1p-24, 0x1p-15 + 0x1p-25, 0x1p-24, 0x1.8p-24, 0x1p-25}, Precision::kFp16),
            (Numbers{0x1p-14, 0x1p-15 + 0x1p-24, 0x1p-15, 0x1p-24, 0x1p-23, 0}));
  // By way of float32: 1 + 2^-11 + 2^-30 is the middle there.
  EXPECT_EQ(stored(Numbers{1 + 0x1p-11 + 0x1p-30}, Precision::kFp16), Numbers{1});
  EXPECT_TRUE(std::isnan(stored(Numbers{std::nan("")}, Precision::kFp16)[0]));
  EXPECT_EQ(stored(Numbers{HUGE_VAL}, Precision::kFp16), Numbers{HUGE_VAL});
}

TEST(Rounding, OthersStay) {
  for (const Precision precision : {Precision::kFp32, Precision::kTf32})
    EXPECT_EQ(stored(Numbers{1 + 0x1p-40}, precision), Numbers{1 + 0x1p-40});
}

}  // namespace
}  // namespace impasto::testing_support
