// What resize must do whatever the picture: constants stay, means stay, mirrored and transposed pictures give mirrored and transposed
// results.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "impasto/error.h"
#include "impasto/image.h"
#include "tests/support/random.h"

namespace impasto {
namespace {

using testing_support::narrow;
using testing_support::uniform;

Image random_image(int width, int height, std::uint64_t seed) {
  return {width, height, narrow(uniform(seed, 3 * static_cast<std::int64_t>(width) * height, 0, 1))};
}

Image rearranged(const Image& image, int width, int height, auto&& source_of) {
  Image out{width, height, std::vector<float>(image.pixels.size())};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto [from_x, from_y] = source_of(x, y);
      for (int c = 0; c < 3; ++c) out.pixels[3 * (y * width + x) + c] = image.pixels[3 * (from_y * image.width + from_x) + c];
    }
  }
  return out;
}

Image mirrored(const Image& image) {
  return rearranged(image, image.width, image.height, [&](int x, int y) { return std::pair(image.width - 1 - x, y); });
}

Image upside_down(const Image& image) {
  return rearranged(image, image.width, image.height, [&](int x, int y) { return std::pair(x, image.height - 1 - y); });
}

Image transposed(const Image& image) {
  return rearranged(image, image.height, image.width, [](int x, int y) { return std::pair(y, x); });
}

double largest_difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.pixels.size() != b.pixels.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a.pixels[i]) - static_cast<double>(b.pixels[i]));
    if (!(difference <= largest)) largest = difference;  // a NaN gets in, and stays
    if (std::isnan(largest)) return largest;
  }
  return largest;
}

double mean(const Image& image) {
  double sum = 0;
  for (const float value : image.pixels) sum += value;
  return sum / static_cast<double>(image.pixels.size());
}

struct Method {
  const char* name;
  Filter filter;
  bool antialias;
};

struct Sizes {
  int width, height, out_width, out_height;
};

// Every method over reductions, enlargements, mixtures, single pixels and heights around the strip of 8 rows that resize works on.
class ResizeProperty : public testing::TestWithParam<std::tuple<Method, Sizes>> {
 protected:
  Image resized(const Image& image, int width, int height) const {
    const Method method = std::get<0>(GetParam());
    return resize(image, width, height, method.filter, method.antialias);
  }
  const Sizes sizes_ = std::get<1>(GetParam());
};

// Weights of one sum of up to 100 terms, each rounded to float32 (6e-8), in two passes.
constexpr double kRounding = 2e-6;

TEST_P(ResizeProperty, KeepsAConstantPicture) {
  Image constant{sizes_.width, sizes_.height, std::vector<float>(3 * static_cast<std::size_t>(sizes_.width * sizes_.height), 0.7f)};
  const Image out = resized(constant, sizes_.out_width, sizes_.out_height);
  ASSERT_EQ(out.pixels.size(), 3 * static_cast<std::size_t>(sizes_.out_width * sizes_.out_height));
  for (const float value : out.pixels) ASSERT_NEAR(value, 0.7f, kRounding);
}

TEST_P(ResizeProperty, CommutesWithMirroring) {
  const Image image = random_image(sizes_.width, sizes_.height, 1);
  const Image out = resized(image, sizes_.out_width, sizes_.out_height);
  EXPECT_LE(largest_difference(resized(mirrored(image), sizes_.out_width, sizes_.out_height), mirrored(out)), kRounding);
  EXPECT_LE(largest_difference(resized(upside_down(image), sizes_.out_width, sizes_.out_height), upside_down(out)), kRounding);
}

TEST_P(ResizeProperty, CommutesWithTransposition) {
  const Image image = random_image(sizes_.width, sizes_.height, 2);
  const Image out = resized(image, sizes_.out_width, sizes_.out_height);
  EXPECT_LE(largest_difference(resized(transposed(image), sizes_.out_height, sizes_.out_width), transposed(out)), kRounding);
}

TEST_P(ResizeProperty, GivesTheSameBitsTwice) {
  const Image image = random_image(sizes_.width, sizes_.height, 3);
  EXPECT_EQ(resized(image, sizes_.out_width, sizes_.out_height).pixels, resized(image, sizes_.out_width, sizes_.out_height).pixels);
}

TEST_P(ResizeProperty, OfTheSameSizeIsThePictureItself) {
  const Image image = random_image(sizes_.width, sizes_.height, 4);
  EXPECT_EQ(resized(image, sizes_.width, sizes_.height).pixels, image.pixels);
}

constexpr Method kMethods[] = {{"Bilinear", Filter::kBilinear, true},
                               {"Bicubic", Filter::kBicubic, true},
                               {"Lanczos", Filter::kLanczos, true},
                               {"Interpolating", Filter::kBilinear, false}};
constexpr Sizes kSizes[] = {{1, 1, 5, 7},   {17, 9, 1, 1},    {16, 8, 8, 4},   {23, 7, 11, 16},
                            {7, 17, 40, 3}, {64, 48, 63, 47}, {3, 100, 3, 33}, {100, 3, 33, 3}};

INSTANTIATE_TEST_SUITE_P(All, ResizeProperty, testing::Combine(testing::ValuesIn(kMethods), testing::ValuesIn(kSizes)),
                         [](const auto& param_info) {
                           const Sizes s = std::get<1>(param_info.param);
                           return std::string(std::get<0>(param_info.param).name) + "_" + std::to_string(s.width) + "x" +
                                  std::to_string(s.height) + "_to_" + std::to_string(s.out_width) + "x" + std::to_string(s.out_height);
                         });

// Away from the borders every input sample weighs the same in a reduction by a whole number, so a picture that is constant near its borders
// keeps its mean.
TEST(ResizeMean, IsKeptByWholeReductions) {
  Image image = random_image(96, 96, 5);
  for (int y = 0; y < 96; ++y) {
    for (int x = 0; x < 96; ++x) {
      if (x >= 24 && x < 72 && y >= 24 && y < 72) continue;
      for (int c = 0; c < 3; ++c) image.pixels[3 * (y * 96 + x) + c] = 0.25f;
    }
  }
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) EXPECT_NEAR(mean(resize(image, 48, 24, filter)), mean(image), 1e-6);
  // The sum of sampled Lanczos weights differs a little from phase to phase before they are normalised.
  EXPECT_NEAR(mean(resize(image, 48, 24, Filter::kLanczos)), mean(image), 1e-4);
}

TEST(ResizeValues, OutsideZeroToOneAreKept) {
  Image image{4, 4, std::vector<float>(48, -2.0f)};
  for (const float value : resize(image, 2, 3, Filter::kLanczos).pixels) EXPECT_NEAR(value, -2.0f, 1e-5);
}

TEST(ResizeErrors, AreOfTheirTypes) {
  const Image image = random_image(4, 3, 6);
  Image short_by_one = image;
  short_by_one.pixels.pop_back();
  EXPECT_THROW(resize(Image{}, 4, 4, Filter::kBilinear), ShapeError);
  EXPECT_THROW(resize(short_by_one, 4, 4, Filter::kBilinear), ShapeError);
  EXPECT_THROW(resize(image, 0, 4, Filter::kBilinear), ShapeError);
  EXPECT_THROW(resize(image, 4, -1, Filter::kBilinear), ShapeError);
  EXPECT_THROW(resize(image, 2, 2, Filter::kBicubic, false), OptionError);
  EXPECT_THROW(resize(image, 2, 2, Filter::kLanczos, false), OptionError);
}

TEST(ResizeErrors, ASizeBeyondMemoryIsBadAlloc) {
  // More values than a vector can ever have.
  constexpr int kLargest = std::numeric_limits<int>::max();
  EXPECT_THROW(resize(random_image(1, 1, 7), kLargest, kLargest, Filter::kBilinear), std::bad_alloc);
}

}  // namespace
}  // namespace impasto
