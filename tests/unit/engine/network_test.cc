#include "engine/network.h"

#include <gtest/gtest.h>

#include "impasto/error.h"

namespace impasto {
namespace {

TEST(Network, LoadsTheLastLayersWhenOneIsAskedFor) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceFloat});
  int reads = 0;
  Network network(*backend, [&](const TakeLayer& take) {
    ++reads;
    return draw_untrained_weights(7, take);
  });
  for (int layer = 0; layer <= 12; ++layer) EXPECT_EQ(network.filters(layer).out_channels, kVgg19[layer].out_channels);
  EXPECT_EQ(reads, 1);
  const Filters* const first = &network.filters(0);
  for (int layer = 15; layer >= 13; --layer) EXPECT_EQ(network.filters(layer).in_channels, 512);
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(&network.filters(0), first);
  EXPECT_TRUE(network.filters(0).reads_image);
  EXPECT_FALSE(network.filters(15).reads_image);
}

TEST(Network, RefusesLastLayersOfAnotherNetwork) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceFloat});
  std::uint64_t seed = 7;
  Network network(*backend, [&](const TakeLayer& take) { return draw_untrained_weights(seed++, take); });
  EXPECT_NO_THROW(network.filters(12));
  EXPECT_THROW(network.filters(13), WeightError);
  // And again: nothing of the other network stays.
  seed = 8;
  EXPECT_THROW(network.filters(13), WeightError);
  seed = 7;
  EXPECT_NO_THROW(network.filters(13));
}

}  // namespace
}  // namespace impasto
