#include "engine/network_input.h"

#include <gtest/gtest.h>

#include <limits>

#include "impasto/error.h"

namespace impasto {
namespace {

const NetworkInput kOxford;
const NetworkInput kTorchvision = {.channel = {0, 1, 2}, .input_scale = 1, .mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};

TEST(NetworkInput, OrdersScalesAndShifts) {
  const Image image{2, 1, {0.0f, 0.5f, 1.0f, 0.25f, 0.75f, 0.125f}};
  const std::vector<double> bgr = preprocess(image, kOxford);
  EXPECT_DOUBLE_EQ(bgr[0], 255 - 103.939);          // blue, first pixel
  EXPECT_DOUBLE_EQ(bgr[1], 255 * 0.125 - 103.939);  // blue, second pixel
  EXPECT_DOUBLE_EQ(bgr[4], 0 - 123.68);             // red, first pixel
  const std::vector<double> rgb = preprocess(image, kTorchvision);
  EXPECT_DOUBLE_EQ(rgb[0], (0 - 0.485) / 0.229);
  EXPECT_DOUBLE_EQ(rgb[3], (0.75 - 0.456) / 0.224);
}

TEST(NetworkInput, ThereAndBack) {
  const Image image{3, 2, {0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 1, -0.5f, 1.5f, 0, 0, 1, 1, 1}};
  for (const NetworkInput& input : {kOxford, kTorchvision}) {
    const Image back = postprocess(preprocess(image, input), 3, 2, input);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) EXPECT_NEAR(back.pixels[i], image.pixels[i], 1e-7);
  }
}

TEST(NetworkInput, GradientFollowsTheChainRule) {
  const std::vector<double> ones = {1, 1, 1};
  EXPECT_EQ(pixel_gradient(ones, 1, 1, kOxford), (std::vector<double>{255, 255, 255}));
  EXPECT_EQ(pixel_gradient(std::vector<double>{1, 2, 3}, 1, 1, kOxford), (std::vector<double>{3 * 255, 2 * 255, 255}));
  EXPECT_EQ(pixel_gradient(ones, 1, 1, kTorchvision), (std::vector<double>{1 / 0.229, 1 / 0.224, 1 / 0.225}));
}

TEST(NetworkInput, RefusesPicturesThatAreNone) {
  EXPECT_THROW(preprocess(Image{0, 0, {}}, kOxford), ShapeError);
  EXPECT_THROW(preprocess(Image{2, 2, std::vector<float>(11)}, kOxford), ShapeError);
  EXPECT_THROW(preprocess(Image{1, 1, {0, std::numeric_limits<float>::quiet_NaN(), 0}}, kOxford), ShapeError);
}

}  // namespace
}  // namespace impasto
