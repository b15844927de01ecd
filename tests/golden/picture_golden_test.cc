// One evaluation on crops of pictures: of samples/, and of photographs and paintings that are not part of the project, whose folder
// IMPASTO_TEST_IMAGES names.
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "impasto/image_io.h"
#include "tests/golden/golden_file.h"
#include "tests/golden/pictures.h"

namespace impasto::golden {
namespace {

std::string images_folder() {
  const char* folder = std::getenv("IMPASTO_TEST_IMAGES");
  return folder != nullptr ? folder : IMPASTO_TEST_IMAGES_DEFAULT;
}

std::vector<std::uint8_t> crop(const std::string& folder, const nlohmann::json& place) {
  const Image image = read_picture(folder + "/" + place["path"].get<std::string>()).image;
  const int left = place["left"], top = place["top"], width = place["width"], height = place["height"];
  std::vector<std::uint8_t> bytes;
  for (int y = top; y < top + height; ++y) {
    for (int i = 3 * left; i < 3 * (left + width); ++i) {
      bytes.push_back(static_cast<std::uint8_t>(std::lround(image.pixels[std::size_t{3} * y * image.width + i] * 255)));
    }
  }
  return bytes;
}

std::string checksum_of(const std::vector<std::uint8_t>& bytes) {
  Checksum checksum;
  checksum.add(bytes);
  return std::to_string(checksum.value());
}

void expect_agreement(const nlohmann::json& golden, const std::string& folder) {
  Session session(weights_path(), on(Device::kCpu));
  for (const nlohmann::json& row : golden["cases"]) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const int width = row["content"]["width"], height = row["content"]["height"];
    const std::vector<std::uint8_t> content = crop(folder, row["content"]), style = crop(folder, row["style"]);
    std::vector<std::uint8_t> start = content;
    if (row["start"] != "content") {
      const std::vector<std::uint8_t> other = synthetic(2, width, height);
      for (std::size_t i = 0; i < start.size(); ++i) start[i] = static_cast<std::uint8_t>(other[i] / 4 + content[i] / 4 * 3);
    }
    const std::vector<std::string> checksums = {checksum_of(content), checksum_of(start), checksum_of(style)};
    ASSERT_EQ(checksums, row["pictures_checksum"].get<std::vector<std::string>>()) << "the decoder gives other pixels than Pillow";

    StyleOptions options;
    options.pooling = row["pooling"] == "max" ? Pooling::kMax : Pooling::kAverage;
    const std::vector<Image> styles = {to_image(style, row["style"]["width"], row["style"]["height"])};
    const PixelGradient result = session.evaluate(to_image(start, width, height), to_image(content, width, height), styles, options);

    EXPECT_LE(loss_error(result.losses, row), 1e-4);
    EXPECT_LE(sketched_cosine_distance(result.gradient, row), 1e-5);
  }
}

TEST(PictureGolden, SamplesAgreeWithPyTorch) {
  const nlohmann::json golden = read_golden("samples.json");
  if (const std::string reason = why_no_weights(golden); !reason.empty()) GTEST_SKIP() << reason;
  expect_agreement(golden, IMPASTO_SAMPLES);
}

TEST(PictureGolden, PhotographsAndPaintingsAgreeWithPyTorch) {
  const nlohmann::json golden = read_golden("pictures.json");
  if (const std::string reason = why_no_weights(golden); !reason.empty()) GTEST_SKIP() << reason;
  if (!std::filesystem::exists(images_folder())) GTEST_SKIP() << "no pictures at " << images_folder() << " (IMPASTO_TEST_IMAGES)";
  expect_agreement(golden, images_folder());
}

}  // namespace
}  // namespace impasto::golden
