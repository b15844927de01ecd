// Files that are no pictures, or not whole: each is an IoError of one line that names the file, and nothing is printed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "impasto/error.h"
#include "impasto/image_io.h"
#include "tests/unit/image_io/picture_files.h"

namespace impasto {
namespace {

class BadInput : public testing::Test {
 protected:
  // The message, checked for form; empty where there was no IoError.
  static std::string refusal(const std::string& path) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    std::string message;
    try {
      read_picture(path);
      ADD_FAILURE() << path << " was read";
    } catch (const IoError& error) {
      message = error.what();
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(message.substr(0, 13 + path.size()), "cannot read " + path + ":");
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_GT(message.size(), path.size() + 20) << "no reason: " << message;
    return message;
  }
  std::string refusal(const std::string& name, const std::string& bytes) const { return refusal(scratch_.file(name, bytes)); }

  static bool has(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

  ScratchDirectory scratch_;
};

TEST_F(BadInput, Missing) { EXPECT_TRUE(has(refusal(scratch_.path("none.png")), "No such file")); }

TEST_F(BadInput, Directory) {
  std::filesystem::create_directory(scratch_.path("folder.png"));
  EXPECT_TRUE(has(refusal(scratch_.path("folder.png")), "directory"));
}

TEST_F(BadInput, Empty) { EXPECT_TRUE(has(refusal("empty.png", ""), "empty")); }

TEST_F(BadInput, PipesAndDevicesDoNotBlock) {
  ASSERT_EQ(mkfifo(scratch_.path("pipe.png").c_str(), 0600), 0);
  EXPECT_TRUE(has(refusal(scratch_.path("pipe.png")), "not a regular file"));
  EXPECT_TRUE(has(refusal("/dev/zero"), "not a regular file"));
}

TEST_F(BadInput, OtherFormats) {
  for (const std::string& bytes :
       {std::string("hello, this is a text file\n"), std::string("3 3\n1 2 3\n4 5 6\n7 8 9\n"), std::string("GIF89a\1\0\1\0\0\0\0;", 14),
        std::string("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"), std::string("P5 1 1 255 x      "),
        std::string("\0\0\0\x18"
                    "ftypisom\0\0\0\0mp42",
                    20)}) {
    EXPECT_TRUE(has(refusal("text.png", bytes), "known format")) << bytes;
  }
  EXPECT_TRUE(has(refusal("short.png", "hi"), "too short"));
}

TEST_F(BadInput, HeaderOfABomb) {
  const std::string message = refusal("bomb.png", png({.width = 60000, .height = 60000, .data = "x"}));
  EXPECT_TRUE(has(message, "60000x60000")) << message;
  EXPECT_TRUE(has(message, "300000000")) << message;
  // Within the limit, but with nothing behind it.
  refusal("hollow.png", png({.width = 17000, .height = 17000, .data = "x"}));
}

TEST_F(BadInput, SamplesThatAreNotWholeNumbers) {
  const std::string one("\0\0\x80\x3f", 4);
  EXPECT_TRUE(has(refusal("f.tif", tiff({.bit_depth = 32, .samples = 1, .photometric = 1, .sample_format = 3, .data = one})), "float"));
}

TEST_F(BadInput, CutShort) {
  std::string samples;
  for (int i = 0; i < 3 * 64 * 48; ++i) samples += static_cast<char>((i % 251) * (i % 241) + i / 7);
  const std::string whole_png = png({.width = 64, .height = 48, .data = samples});
  const std::string whole_jpeg = jpeg(64, 48, JpegColour::kRgb, samples);
  const std::string whole_tiff = tiff({.width = 64, .height = 48, .data = samples});
  const std::string webp_path = scratch_.path("whole.webp");
  write_picture(webp_path, read_picture(scratch_.file("whole.png", whole_png)));
  int cases = 0;
  for (const auto& [name, whole] : {std::pair<std::string, std::string>{"cut.png", whole_png},
                                    {"cut.jpg", whole_jpeg},
                                    {"cut.tif", whole_tiff},
                                    {"cut.webp", bytes_of(webp_path)}}) {
    EXPECT_EQ(read_picture(scratch_.file(name, whole)).image.width, 64);
    for (const double part : {0.001, 0.01, 0.1, 0.5, 0.9, 0.99}) {
      SCOPED_TRACE(name + " " + std::to_string(part));
      refusal(name, whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
      ++cases;
    }
  }
  EXPECT_EQ(cases, 24);
}

TEST_F(BadInput, DamagedInTheMiddle) {
  std::string bytes = png({.width = 64, .height = 48, .data = std::string(3 * 64 * 48, 'x')});
  bytes[bytes.size() / 2] ^= 1;  // the stream's checksum no longer fits
  refusal("damaged.png", bytes);
}

TEST_F(BadInput, LineEndInTheName) {
  const std::string path = scratch_.file("two\nlines.png", "text that is no picture");
  try {
    read_picture(path);
    FAIL();
  } catch (const IoError& error) {
    EXPECT_TRUE(has(error.what(), "two lines.png")) << error.what();
    EXPECT_FALSE(has(error.what(), "\n"));
  }
}

TEST_F(BadInput, OneFailureLeavesNothingToTheNext) {
  EXPECT_FALSE(has(refusal("a.jpg", jpeg(8, 8, JpegColour::kGrey, std::string(64, 'x')).substr(0, 300)), "png"));
  const std::string next = refusal("b.png", png({.width = 9, .height = 9, .data = "x"}));
  EXPECT_FALSE(has(next, "Jpeg") || has(next, "JPEG")) << next;
}

}  // namespace
}  // namespace impasto
