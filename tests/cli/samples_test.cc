// The committed sample pair is what tools/samples draws.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "impasto/image_io.h"
#include "tools/samples/pictures.h"

namespace impasto {
namespace {

// As the program writes it (quality 90) and as it lies in samples/.
void expect_same(const Image& drawn, const std::string& name) {
  const std::string path = (std::filesystem::temp_directory_path() / ("impasto-samples-test-" + name)).string();
  WriteOptions options;
  options.quality = 90;
  write_picture(path, {drawn, {}}, options);
  const Image redrawn = read_picture(path).image;
  std::filesystem::remove(path);
  const Image committed = read_picture(std::string(IMPASTO_SAMPLES) + "/" + name).image;

  ASSERT_EQ(redrawn.width, committed.width);
  ASSERT_EQ(redrawn.height, committed.height);
  ASSERT_EQ(redrawn.pixels.size(), committed.pixels.size());
  double squares = 0;
  for (std::size_t i = 0; i < redrawn.pixels.size(); ++i) squares += std::pow(redrawn.pixels[i] - committed.pixels[i], 2.0);
  // One grey level of room for another libm or JPEG library; a moved stroke or another seed is worth tens.
  EXPECT_LT(std::sqrt(squares / static_cast<double>(redrawn.pixels.size())), 1.0 / 255) << name;
}

TEST(Samples, ContentIsTheDrawnTown) { expect_same(samples::draw_town(), "content.jpg"); }
TEST(Samples, StyleIsTheDrawnPainting) { expect_same(samples::draw_painting(), "style.jpg"); }

}  // namespace
}  // namespace impasto
