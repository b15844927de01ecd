// What write_picture puts into files.
#include <gtest/gtest.h>
#include <vips/vips.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/image_io/vips_runtime.h"
#include "impasto/error.h"
#include "impasto/image_io.h"
#include "tests/support/random.h"
#include "tests/unit/image_io/picture_files.h"

namespace impasto {
namespace {

using testing_support::integers;
using testing_support::narrow;

Picture solid(int width, int height, float value) {
  return {{width, height, std::vector<float>(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), value)}, {}};
}

// Random values that the bit depth can hold exactly.
Picture levels(int width, int height, int white, bool with_alpha) {
  Picture picture = solid(width, height, 0);
  picture.image.pixels = narrow(integers(1, 3 * static_cast<std::int64_t>(width) * height, 0, white));
  for (float& value : picture.image.pixels) value /= static_cast<float>(white);
  if (with_alpha) {
    picture.alpha = narrow(integers(2, static_cast<std::int64_t>(width) * height, 1, white));
    for (float& value : picture.alpha) value /= static_cast<float>(white);
  }
  return picture;
}

// A picture that lossy formats keep well.
Picture smooth(int width, int height) {
  Picture picture = solid(width, height, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      float* pixel = picture.image.pixels.data() + 3 * (y * width + x);
      pixel[0] = static_cast<float>(x) / static_cast<float>(width);
      pixel[1] = static_cast<float>(y) / static_cast<float>(height);
      pixel[2] = 0.5f;
    }
  }
  return picture;
}

VipsImagePtr opened(const std::string& path) { return VipsImagePtr(vips_image_new_from_file(path.c_str(), nullptr)); }

std::string blob(VipsImage* image, const char* name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(image, name) == 0 || vips_image_get_blob(image, name, &data, &size) != 0) return {};
  return {static_cast<const char*>(data), size};
}

class WritePicture : public testing::Test {
 protected:
  ScratchDirectory scratch_;
};

TEST_F(WritePicture, LosslessFormatsGiveBackEveryLevel) {
  for (const std::string name : {"a.png", "a.tif", "a.TIFF"}) {
    for (const int depth : {8, 16}) {
      SCOPED_TRACE(name + " " + std::to_string(depth));
      const Picture picture = levels(31, 17, depth == 8 ? 255 : 65535, false);
      write_picture(scratch_.path(name), picture, {.bit_depth = depth});
      const Picture back = read_picture(scratch_.path(name));
      EXPECT_EQ(back.image.width, 31);
      EXPECT_EQ(back.image.pixels, picture.image.pixels);
      EXPECT_TRUE(back.alpha.empty());
    }
  }
}

TEST_F(WritePicture, AlphaIsKept) {
  for (const std::string name : {"a.png", "a.tif", "a.webp"}) {
    for (const int depth : {8, 16}) {
      if (depth == 16 && name == "a.webp") continue;
      SCOPED_TRACE(name + " " + std::to_string(depth));
      Picture picture = levels(16, 16, depth == 8 ? 255 : 65535, true);
      write_picture(scratch_.path(name), picture, {.bit_depth = depth});
      EXPECT_EQ(read_picture(scratch_.path(name)).alpha, picture.alpha);
    }
  }
}

TEST_F(WritePicture, JpegTakesThePictureWithoutItsAlpha) {
  Picture picture = smooth(32, 32);
  picture.alpha.assign(32 * 32, 0.25f);
  write_picture(scratch_.path("a.jpg"), picture);
  const Picture back = read_picture(scratch_.path("a.jpg"));
  EXPECT_TRUE(back.alpha.empty());
  for (std::size_t i = 0; i < picture.image.pixels.size(); ++i) ASSERT_NEAR(back.image.pixels[i], picture.image.pixels[i], 0.03);
}

TEST_F(WritePicture, LossyFormatsComeClose) {
  const Picture picture = smooth(48, 40);
  for (const std::string name : {"a.jpg", "a.jpeg", "a.webp", "a.avif"}) {
    SCOPED_TRACE(name);
    try {
      check_writable(scratch_.path(name));
    } catch (const OptionError& error) {
      ASSERT_EQ(name, "a.avif") << error.what();
      GTEST_SKIP() << "this libvips writes no AVIF: " << error.what();
    }
    write_picture(scratch_.path(name), picture);
    const Picture back = read_picture(scratch_.path(name));
    double sum = 0;
    for (std::size_t i = 0; i < picture.image.pixels.size(); ++i) sum += std::abs(back.image.pixels[i] - picture.image.pixels[i]);
    EXPECT_LT(sum / static_cast<double>(picture.image.pixels.size()), 2.0 / 255);
  }
}

TEST_F(WritePicture, RoundsToNearestAndClamps) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Picture picture = solid(4, 1, 0);
  picture.image.pixels = {10.49f / 255, 10.51f / 255, 0.49f / 255, 254.51f / 255,       -1, 2, -kInfinity,
                          kInfinity,    -0.0f,        1,           0.5f / 255 * 0.999f, 0};
  write_picture(scratch_.path("a.png"), picture);
  std::vector<int> stored;
  for (const float value : read_picture(scratch_.path("a.png")).image.pixels) stored.push_back(static_cast<int>(std::lround(value * 255)));
  EXPECT_EQ(stored, (std::vector<int>{10, 11, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0}));
}

TEST_F(WritePicture, NanIsRefusedAndTheOldFileStays) {
  const std::string path = scratch_.file("a.png", "old");
  Picture picture = solid(5, 4, 0.5f);
  picture.image.pixels[3 * (2 * 5 + 3) + 1] = std::numeric_limits<float>::quiet_NaN();
  try {
    write_picture(path, picture);
    FAIL();
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find(path + ": the picture holds NaN at column 3, row 2"), std::string::npos) << error.what();
  }
  picture = solid(5, 4, 0.5f);
  picture.alpha.assign(20, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(write_picture(path, picture), IoError);
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(scratch_.entries(), std::vector<std::string>{"a.png"});
}

TEST_F(WritePicture, SizesMustAgree) {
  Picture picture = solid(3, 3, 0);
  picture.alpha.resize(8);
  EXPECT_THROW(write_picture(scratch_.path("a.png"), picture), ShapeError);
  picture.alpha.clear();
  picture.image.pixels.pop_back();
  EXPECT_THROW(write_picture(scratch_.path("a.png"), picture), ShapeError);
  EXPECT_THROW(write_picture(scratch_.path("a.png"), Picture{}), ShapeError);
  EXPECT_TRUE(scratch_.entries().empty());
}

TEST_F(WritePicture, AFormatThatCannotHoldTheSizeSaysSo) {
  EXPECT_THROW(write_picture(scratch_.path("a.webp"), solid(20000, 1, 0)), IoError);
  EXPECT_THROW(write_picture(scratch_.path("a.jpg"), solid(70000, 1, 0)), IoError);
  EXPECT_TRUE(scratch_.entries().empty());
}

TEST_F(WritePicture, SameInputSameBytes) {
  Picture picture = levels(40, 30, 255, true);
  const WriteOptions options{.metadata = {{"Software", "Impasto"}, {"Settings", "{}"}}};
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.webp"}) {
    SCOPED_TRACE(name);
    write_picture(scratch_.path(name), picture, options);
    const std::string first = bytes_of(scratch_.path(name));
    // Past the second, should a format write the time.
    g_usleep(300'000);
    write_picture(scratch_.path(name), picture, options);
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(bytes_of(scratch_.path(name)), first);
  }
}

TEST_F(WritePicture, PngIsTaggedAndHoldsTheText) {
  write_picture(scratch_.path("a.png"), levels(8, 8, 255, false),
                {.metadata = {{"Software", "Impasto"},
                              {"Settings", "{\"a\": 1,\n\"b\": \"x\"}"},
                              {"Content file", "Gem\xc3\xa4lde.jpg"},
                              {"Broken", "a\xff\x01z"}}});
  std::vector<PngChunk> chunks = png_chunks_of(bytes_of(scratch_.path("a.png")));
  ASSERT_GT(chunks.size(), 6u);
  EXPECT_EQ(chunks[0].type, "IHDR");
  EXPECT_EQ(chunks[1].type, "sRGB");
  EXPECT_EQ(chunks[1].data, std::string(1, '\0'));
  const auto text = [&](const std::string& type, const std::string& data) {
    return std::any_of(chunks.begin(), chunks.end(), [&](const PngChunk& chunk) { return chunk.type == type && chunk.data == data; });
  };
  EXPECT_TRUE(text("tEXt", std::string("Software\0Impasto", 16)));
  EXPECT_TRUE(text("tEXt", std::string("Settings\0", 9) + "{\"a\": 1,\n\"b\": \"x\"}"));
  EXPECT_TRUE(text("iTXt", std::string("Content file\0\0\0\0\0", 17) + "Gem\xc3\xa4lde.jpg"));
  EXPECT_TRUE(text("iTXt", std::string("Broken\0\0\0\0\0", 11) + "a\xef\xbf\xbd z"));
  EXPECT_EQ(chunks.back().type, "IEND");
  // libvips reads it back.
  const VipsImagePtr image = opened(scratch_.path("a.png"));
  ASSERT_NE(image, nullptr) << take_vips_error();
}

TEST_F(WritePicture, OtherFormatsCarryTheProfileAndXmp) {
  start_vips();
  const VipsBlobPtr profile = srgb_profile();
  std::size_t size = 0;
  const char* data = static_cast<const char*>(vips_blob_get(profile.get(), &size));
  const std::string expected(data, size);
  for (const std::string name : {"a.jpg", "a.tif", "a.webp"}) {
    SCOPED_TRACE(name);
    write_picture(scratch_.path(name), smooth(16, 16), {.metadata = {{"Software", "Impasto"}, {"Content file", "a <&> b (x).jpg"}}});
    const VipsImagePtr image = opened(scratch_.path(name));
    ASSERT_NE(image, nullptr) << take_vips_error();
    EXPECT_TRUE(blob(image.get(), VIPS_META_ICC_NAME) == expected) << "another profile, or none";
    const std::string xmp = blob(image.get(), VIPS_META_XMP_NAME);
    EXPECT_NE(xmp.find("<impasto:Software>Impasto</impasto:Software>"), std::string::npos) << xmp;
    EXPECT_NE(xmp.find("<impasto:Content_file>a &lt;&amp;&gt; b (x).jpg</impasto:Content_file>"), std::string::npos) << xmp;
    if (name != "a.tif") {
      const char* colour_space = nullptr;
      ASSERT_EQ(vips_image_get_string(image.get(), "exif-ifd2-ColorSpace", &colour_space), 0) << take_vips_error();
      EXPECT_EQ(std::string(colour_space).substr(0, 1), "1") << colour_space;
    }
  }
}

TEST_F(WritePicture, QualityMatters) {
  Picture picture = levels(64, 64, 255, false);
  write_picture(scratch_.path("a.jpg"), picture, {.quality = 10});
  const std::size_t small = bytes_of(scratch_.path("a.jpg")).size();
  write_picture(scratch_.path("a.jpg"), picture, {.quality = 95});
  EXPECT_GT(bytes_of(scratch_.path("a.jpg")).size(), 1.3 * static_cast<double>(small));
}

TEST_F(WritePicture, OptionsThatDoNotFitAreRefusedByBoth) {
  const Picture picture = solid(2, 2, 0);
  const std::vector<std::pair<std::string, WriteOptions>> cases = {
      {"a", {}},
      {"a.", {}},
      {".png", {}},
      {"a.bmp", {}},
      {"a.png.txt", {}},
      {"a.jpg", {.bit_depth = 16}},
      {"a.webp", {.bit_depth = 16}},
      {"a.png", {.bit_depth = 12}},
      {"a.jpg", {.quality = 0}},
      {"a.jpg", {.quality = 101}},
      {"a.png", {.metadata = {{"", "x"}}}},
      {"a.png", {.metadata = {{"1a", "x"}}}},
      {"a.png", {.metadata = {{"a<b", "x"}}}},
      {"a.png", {.metadata = {{std::string(80, 'a'), "x"}}}},
  };
  for (const auto& [name, options] : cases) {
    SCOPED_TRACE(name);
    EXPECT_THROW(check_writable(scratch_.path(name), options), OptionError);
    EXPECT_THROW(write_picture(scratch_.path(name), picture, options), OptionError);
  }
  EXPECT_TRUE(scratch_.entries().empty());
}

TEST_F(WritePicture, NothingIsPrinted) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.webp"}) {
    write_picture(scratch_.path(name), smooth(64, 64));
    read_picture(scratch_.path(name));
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace impasto
