#include "engine/vgg19.h"

#include <gtest/gtest.h>

#include "impasto/error.h"

namespace impasto {
namespace {

TEST(Vgg19, NamesEveryLayer) {
  EXPECT_EQ(tap_named("conv1_1"), (Tap{0, false}));
  EXPECT_EQ(tap_named("relu1_1"), (Tap{0, true}));
  EXPECT_EQ(tap_named("relu4_2"), (Tap{9, true}));
  EXPECT_EQ(tap_named("relu5_4"), (Tap{15, true}));
}

TEST(Vgg19, RefusesOtherNames) {
  for (const char* name : {"", "relu", "relu6_1", "relu1_3", "pool1", "RELU1_1", "relu1_1 ", "fc6"}) {
    EXPECT_THROW(tap_named(name), OptionError) << name;
  }
}

TEST(Vgg19, ChannelsFollowOneAnother) {
  for (std::size_t i = 1; i < kVgg19.size(); ++i) EXPECT_EQ(kVgg19[i].in_channels, kVgg19[i - 1].out_channels);
}

}  // namespace
}  // namespace impasto
