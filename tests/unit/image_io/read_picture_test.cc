// What read_picture makes of every kind of file it accepts.
#include <gtest/gtest.h>
#include <vips/vips.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "engine/image_io/vips_runtime.h"
#include "impasto/error.h"
#include "impasto/image_io.h"
#include "tests/unit/image_io/picture_files.h"
#include "tests/unit/image_io/profile_bytes.h"

namespace impasto {
namespace {

constexpr double kLevel = 1.0 / 255;
constexpr float kExact = 1e-7f;

void expect_pixels(const Picture& picture, int width, int height, const std::vector<double>& expected, double bound = kExact) {
  ASSERT_EQ(picture.image.width, width);
  ASSERT_EQ(picture.image.height, height);
  ASSERT_EQ(picture.image.pixels.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(picture.image.pixels[i], expected[i], bound) << "value " << i;
}

class ReadPicture : public testing::Test {
 protected:
  Picture read(const std::string& bytes, const ReadOptions& options = {}) const {
    return read_picture(scratch_.file("picture", bytes), options);
  }
  ScratchDirectory scratch_;
};

TEST_F(ReadPicture, Rgb8) {
  const Picture picture = read(png({.width = 2, .height = 1, .data = std::string("\x00\x33\xff\x01\x02\x03", 6)}));
  expect_pixels(picture, 2, 1, {0, 0.2, 1, kLevel, 2 * kLevel, 3 * kLevel});
  EXPECT_TRUE(picture.alpha.empty());
}

TEST_F(ReadPicture, Rgb16KeepsEveryBit) {
  const Picture picture = read(png({.bit_depth = 16, .data = big_endian16({1, 32768, 65534})}));
  expect_pixels(picture, 1, 1, {1 / 65535.0, 32768 / 65535.0, 65534 / 65535.0});
}

TEST_F(ReadPicture, Grey) {
  expect_pixels(read(png({.width = 2, .colour_type = 0, .data = std::string("\x33\xff", 2)})), 2, 1, {0.2, 0.2, 0.2, 1, 1, 1});
  expect_pixels(read(png({.bit_depth = 16, .colour_type = 0, .data = big_endian16({257})})), 1, 1, {kLevel, kLevel, kLevel});
}

TEST_F(ReadPicture, OneBit) {
  expect_pixels(read(png({.width = 3, .bit_depth = 1, .colour_type = 0, .data = "\xa0"})), 3, 1, {1, 1, 1, 0, 0, 0, 1, 1, 1});
}

TEST_F(ReadPicture, Palette) {
  const std::string palette("\x33\x00\x00\x00\xff\x00", 6);
  expect_pixels(read(png({.width = 2, .colour_type = 3, .data = std::string("\x01\x00", 2), .palette = palette})), 2, 1,
                {0, 1, 0, 0.2, 0, 0});
  const Picture clear = read(
      png({.width = 2, .colour_type = 3, .data = std::string("\x01\x00", 2), .palette = palette, .transparency = std::string("\0", 1)}));
  expect_pixels(clear, 2, 1, {0, 1, 0, 1, 1, 1});
  EXPECT_EQ(clear.alpha, (std::vector<float>{1, 0}));
}

TEST_F(ReadPicture, AlphaIsCompositedOverTheMatte) {
  const std::string file = png({.width = 2, .colour_type = 6, .data = std::string("\xff\x00\x33\x33\x00\x00\x00\x00", 8)});
  const Picture on_white = read(file);
  expect_pixels(on_white, 2, 1, {1, 0.8, 0.84, 1, 1, 1});
  ASSERT_EQ(on_white.alpha.size(), 2u);
  EXPECT_NEAR(on_white.alpha[0], 0.2, kExact);
  EXPECT_EQ(on_white.alpha[1], 0);
  expect_pixels(read(file, {.matte = {0.5f, 0.25f, 0}}), 2, 1, {0.6, 0.2, 0.04, 0.5, 0.25, 0});
}

TEST_F(ReadPicture, GreyWithAlpha) {
  const Picture picture = read(png({.colour_type = 4, .data = std::string("\x00\x33", 2)}));
  expect_pixels(picture, 1, 1, {0.8, 0.8, 0.8});
  const Picture wide = read(png({.bit_depth = 16, .colour_type = 4, .data = big_endian16({0, 1})}));
  ASSERT_EQ(wide.alpha.size(), 1u);
  EXPECT_NEAR(wide.alpha[0], 1 / 65535.0, 1e-9);
}

TEST_F(ReadPicture, Tiff) {
  expect_pixels(read(tiff({.data = std::string("\x00\x33\xff", 3)})), 1, 1, {0, 0.2, 1});
  expect_pixels(read(tiff({.bit_depth = 16, .samples = 1, .photometric = 1, .data = std::string("\x01\x01", 2)})), 1, 1,
                {kLevel, kLevel, kLevel});
  expect_pixels(read(tiff({.samples = 4, .extra = 2, .data = std::string("\x00\x00\x00\x33", 4)})), 1, 1, {0.8, 0.8, 0.8});
}

TEST_F(ReadPicture, GreyJpeg) {
  expect_pixels(read(jpeg(8, 8, JpegColour::kGrey, std::string(64, '\x33'))), 8, 8, std::vector<double>(192, 0.2), kLevel);
}

TEST_F(ReadPicture, NameIsTakenAsItIs) {
  const std::string path = scratch_.file("a[page=1,shrink=8].jpg", png({.data = std::string("\x00\x33\xff", 3)}));
  expect_pixels(read_picture(path), 1, 1, {0, 0.2, 1});
}

// Quadrants of a picture that is not square, turned by each EXIF orientation; expected: top left, top right, bottom left, bottom right.
class ReadOrientation : public testing::TestWithParam<int> {
 protected:
  static constexpr std::array<const char*, 8> kUpright = {"RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"};

  static std::string stored_quadrants() {
    std::string samples;
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 32; ++x)
        samples += y < 8 ? (x < 16 ? std::string("\xff\0\0", 3) : std::string("\0\xff\0", 3))
                         : (x < 16 ? std::string("\0\0\xff", 3) : std::string("\xff\xff\xff"));
    }
    return samples;
  }

  static void expect_upright(const Picture& picture) {
    const int orientation = GetParam();
    const int width = orientation < 5 ? 32 : 16;
    const int height = orientation < 5 ? 16 : 32;
    ASSERT_EQ(picture.image.width, width);
    ASSERT_EQ(picture.image.height, height);
    for (int quadrant = 0; quadrant < 4; ++quadrant) {
      const int x = width / 4 + (quadrant % 2) * width / 2;
      const int y = height / 4 + (quadrant / 2) * height / 2;
      const float* pixel = picture.image.pixels.data() + 3 * (y * width + x);
      const char colour = kUpright[orientation - 1][quadrant];
      EXPECT_NEAR(pixel[0], colour == 'R' || colour == 'W', 0.02) << quadrant;
      EXPECT_NEAR(pixel[1], colour == 'G' || colour == 'W', 0.02) << quadrant;
      EXPECT_NEAR(pixel[2], colour == 'B' || colour == 'W', 0.02) << quadrant;
    }
  }
  ScratchDirectory scratch_;
};

TEST_P(ReadOrientation, OfJpegIsApplied) {
  expect_upright(read_picture(scratch_.file("o.jpg", jpeg(32, 16, JpegColour::kRgb, stored_quadrants(), GetParam()))));
}

TEST_P(ReadOrientation, OfTiffIsApplied) {
  const TiffParts parts{.width = 32, .height = 16, .orientation = static_cast<std::uint32_t>(GetParam()), .data = stored_quadrants()};
  expect_upright(read_picture(scratch_.file("o.tif", tiff(parts))));
}

INSTANTIATE_TEST_SUITE_P(All, ReadOrientation, testing::Range(1, 9));

class ReadProfile : public ReadPicture {};

TEST_F(ReadProfile, AdobeRgbBecomesSrgb) {
  constexpr double kGamma = 563.0 / 256;
  const std::string profile = rgb_profile(kGamma, kAdobePrimaries);
  // Colours within sRGB.
  const std::vector<std::array<int, 3>> colours = {{200, 150, 100}, {90, 120, 160}, {128, 128, 128}, {255, 255, 255}, {30, 40, 35}};
  std::string eight;
  std::vector<int> sixteen;
  std::vector<double> expected;
  for (const auto& colour : colours) {
    for (const int value : colour) {
      eight += static_cast<char>(value);
      sixteen.push_back(value * 257);
    }
    for (const double value : to_srgb({colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0}, kGamma, kAdobePrimaries))
      expected.push_back(value);
  }
  // The definition moves some of these by 10 levels and more. Little CMS interpolates 16-bit input in a table: 0.6 levels off in the
  // shadows.
  const std::uint32_t count = static_cast<std::uint32_t>(colours.size());
  const int width = static_cast<int>(count);
  expect_pixels(read(png({.width = count, .data = eight, .profile = profile})), width, 1, expected, 0.5 * kLevel);
  expect_pixels(read(png({.width = count, .bit_depth = 16, .data = big_endian16(sixteen), .profile = profile})), width, 1, expected,
                0.75 * kLevel);
  expect_pixels(read(tiff({.width = count, .data = eight, .profile = profile})), width, 1, expected, 0.5 * kLevel);
}

TEST_F(ReadProfile, AlphaIsNotConverted) {
  const std::string profile = rgb_profile(563.0 / 256, kAdobePrimaries);
  const Picture eight =
      read(png({.width = 2, .colour_type = 6, .data = std::string("\xff\xff\xff\x33\x00\x00\x00\xff", 8), .profile = profile}));
  ASSERT_EQ(eight.alpha.size(), 2u);
  EXPECT_NEAR(eight.alpha[0], 0.2, 1e-6);
  EXPECT_EQ(eight.alpha[1], 1);
  expect_pixels(eight, 2, 1, {1, 1, 1, 0, 0, 0}, 0.5 * kLevel);
  const Picture wide = read(png({.bit_depth = 16, .colour_type = 6, .data = big_endian16({0, 0, 0, 13107}), .profile = profile}));
  ASSERT_EQ(wide.alpha.size(), 1u);
  EXPECT_NEAR(wide.alpha[0], 0.2, 1e-6);
  expect_pixels(wide, 1, 1, {0.8, 0.8, 0.8}, 0.5 * kLevel);
}

TEST_F(ReadProfile, GreyProfileIsHonoured) {
  const double expected = srgb_encoded(0x33 / 255.0);
  const Picture picture = read(png({.colour_type = 0, .data = "\x33", .profile = grey_profile(1.0)}));
  expect_pixels(picture, 1, 1, {expected, expected, expected}, 0.5 * kLevel);
}

TEST_F(ReadProfile, OneThatCannotBeUsedIsIgnored) {
  const std::string good = rgb_profile(1.0, kSrgbPrimaries);
  const std::string pixel("\x00\x33\xff", 3);
  testing::internal::CaptureStderr();
  for (const std::string& profile : {good.substr(0, 200), std::string(300, 'x'), grey_profile(1.0), good.substr(0, 50)}) {
    expect_pixels(read(tiff({.data = pixel, .profile = profile})), 1, 1, {0, 0.2, 1});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ReadProfile, LibvipsOwnSrgbLeavesValuesAlone) {
  const VipsBlobPtr blob = (start_vips(), srgb_profile());
  std::size_t size = 0;
  const char* data = static_cast<const char*>(vips_blob_get(blob.get(), &size));
  expect_pixels(read(png({.data = std::string("\x01\x33\xfe", 3), .profile = std::string(data, size)})), 1, 1, {kLevel, 0.2, 254 * kLevel});
}

// Inks by libvips's CMYK profile (a press: full cyan is no screen's cyan), by JPEG and TIFF alike.
TEST_F(ReadPicture, Cmyk) {
  std::string inks;
  const std::string paper(4, '\0');
  const std::string cyan("\xff\0\0\0", 4);
  const std::string black("\0\0\0\xff", 4);
  for (int y = 0; y < 8; ++y) {
    for (const std::string& ink : {paper, cyan, black}) {
      for (int x = 0; x < 8; ++x) inks += ink;
    }
  }
  const Picture from_tiff = read(tiff({.width = 24, .height = 8, .samples = 4, .photometric = 5, .data = inks}));
  const Picture from_jpeg = read(jpeg(24, 8, JpegColour::kCmyk, inks));
  for (const Picture* picture : {&from_tiff, &from_jpeg}) {
    ASSERT_EQ(picture->image.width, 24);
    EXPECT_TRUE(picture->alpha.empty());
    const auto pixel = [&](int x, int c) { return picture->image.pixels[static_cast<std::size_t>(3 * (4 * 24 + x) + c)]; };
    for (int c = 0; c < 3; ++c) {
      EXPECT_GT(pixel(4, c), 0.98) << "paper " << c;
      EXPECT_LT(pixel(20, c), 0.25) << "black " << c;
    }
    EXPECT_LT(pixel(12, 0), 0.2) << "cyan";
    EXPECT_NEAR(pixel(12, 1), 0.65, 0.1) << "cyan";
    EXPECT_NEAR(pixel(12, 2), 0.9, 0.1) << "cyan";
  }
}

TEST_F(ReadPicture, LimitIsOnPixels) {
  const std::string file = png({.width = 4, .height = 3, .data = std::string(36, 'x')});
  EXPECT_EQ(read(file, {.max_pixels = 12}).image.width, 4);
  EXPECT_THROW(read(file, {.max_pixels = 11}), IoError);
}

TEST_F(ReadPicture, ThreadsReadAtTheSameTime) {
  std::vector<std::string> paths;
  for (int i = 0; i < 4; ++i) {
    paths.push_back(
        scratch_.file(std::to_string(i), png({.width = 64, .height = 64, .data = std::string(3 * 64 * 64, static_cast<char>(51 * i))})));
  }
  std::vector<Picture> pictures(paths.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    threads.emplace_back([&, i] { pictures[i] = read_picture(paths[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < paths.size(); ++i)
    expect_pixels(pictures[i], 64, 64, std::vector<double>(3 * 64 * 64, 0.2 * static_cast<double>(i)));
}

TEST(ImageIoVersion, NamesLibvipsAndItsFormats) {
  const std::string version = image_io_version();
  EXPECT_EQ(version.substr(0, 10), "libvips 8.") << version;
  EXPECT_NE(version.find("(jpeg png tiff webp"), std::string::npos) << version;
}

}  // namespace
}  // namespace impasto
