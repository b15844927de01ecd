// resize against numbers made by Pillow and PyTorch (make_resize_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "impasto/image.h"

namespace impasto {
namespace {

struct Golden {
  std::string source;
  std::string filter;
  int width = 0;
  int height = 0;
  int out_width = 0;
  int out_height = 0;
  std::vector<double> values;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.source << " " << golden.filter; }

std::vector<Golden> goldens() {
  std::ifstream file(IMPASTO_RESIZE_GOLDEN);
  std::vector<Golden> all;
  for (std::string line; std::getline(file, line);) {
    if (line.front() == '#') continue;
    std::istringstream words(line);
    Golden golden;
    words >> golden.source >> golden.filter >> golden.width >> golden.height >> golden.out_width >> golden.out_height;
    for (double value = 0; words >> value;) golden.values.push_back(value);
    all.push_back(golden);
  }
  return all;
}

// As picture() in the script.
Image drawn(int width, int height) {
  Image image{width, height, std::vector<float>(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<float>((i * i * 31 + i * 17 + 5) % 256) / 255.0f;
  return image;
}

class ResizeGolden : public testing::TestWithParam<Golden> {};

TEST_P(ResizeGolden, IsTheSamePicture) {
  const Golden& golden = GetParam();
  const Filter filter = golden.filter == "bilinear" ? Filter::kBilinear : golden.filter == "bicubic" ? Filter::kBicubic : Filter::kLanczos;
  const bool eight_bit = golden.source == "pillow-8bit";
  const Image out = resize(drawn(golden.width, golden.height), golden.out_width, golden.out_height, filter, golden.source != "torch");
  ASSERT_EQ(out.width, golden.out_width);
  ASSERT_EQ(out.height, golden.out_height);
  ASSERT_EQ(out.pixels.size(), golden.values.size());
  // Float: a few float32 roundings of values up to 1.5 and seven printed digits. 8 bit: Pillow rounds after each of the two passes.
  const double bound = eight_bit ? 1.0 / 255 + 1e-6 : 1e-6;
  for (std::size_t i = 0; i < golden.values.size(); ++i) {
    const double value = eight_bit ? std::clamp(static_cast<double>(out.pixels[i]), 0.0, 1.0) : static_cast<double>(out.pixels[i]);
    ASSERT_TRUE(std::abs(value - golden.values[i]) <= bound) << "value " << i << ": " << value << ", not " << golden.values[i];
  }
}

std::string case_name(const testing::TestParamInfo<Golden>& info) {
  const Golden& golden = info.param;
  std::string name = golden.source + "_" + golden.filter + "_" + std::to_string(golden.width) + "x" + std::to_string(golden.height) +
                     "_to_" + std::to_string(golden.out_width) + "x" + std::to_string(golden.out_height);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ResizeGolden, testing::ValuesIn(goldens()), case_name);

TEST(ResizeGoldenFile, HoldsEveryCase) { EXPECT_EQ(goldens().size(), 23u) << IMPASTO_RESIZE_GOLDEN; }

}  // namespace
}  // namespace impasto
