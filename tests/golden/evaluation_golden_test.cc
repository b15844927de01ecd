// One evaluation against PyTorch in float64: every term of the loss and the gradient with respect to the pixels, for sizes odd and even,
// both poolings, layers before and after ReLU, several styles, total variation, and a network of either convention.
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>

#include "tests/golden/golden_file.h"
#include "tests/golden/pictures.h"
#include "tests/golden/rgb_network.h"

namespace impasto::golden {
namespace {

// The references take a second per 3000 pixels.
constexpr int kMostPixelsForSlowDevices = 2000;

std::vector<float> read_floats(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::vector<float> values(static_cast<std::size_t>(in.tellg()) / sizeof(float));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

// A session per network, made on first use.
class Networks {
 public:
  Networks(SessionOptions options, const std::string& name)
      : options_(std::move(options)), rgb_path_(testing::TempDir() + name + "_rgb.h5") {}
  ~Networks() { std::remove(rgb_path_.c_str()); }

  Session& operator[](const std::string& network) {
    std::unique_ptr<Session>& session = sessions_[network];
    if (session == nullptr) {
      if (network == "rgb") write_rgb_network(weights_path(), rgb_path_);
      session = std::make_unique<Session>(network == "rgb" ? rgb_path_ : weights_path(), options_);
    }
    return *session;
  }

 private:
  SessionOptions options_;
  std::string rgb_path_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
};

class EvaluationGolden : public testing::TestWithParam<DeviceCase> {};

TEST_P(EvaluationGolden, AgreesWithPyTorch) {
  const nlohmann::json golden = read_golden("evaluations.json");
  if (const std::string reason = why_no_weights(golden); !reason.empty()) GTEST_SKIP() << reason;
  const DeviceCase& device = GetParam();
  Networks networks(device.options, device.name);
  double largest_loss_error = 0, largest_cosine_distance = 0;

  for (const nlohmann::json& row : golden["cases"]) {
    SCOPED_TRACE(row["name"].get<std::string>());
    std::vector<std::string> checksums;
    const auto picture = [&](const std::string& kind, const nlohmann::json& size) {
      const int width = size["width"], height = size["height"];
      const std::vector<std::uint8_t> bytes = kind == "poster" ? poster(width, height)
                                              : kind == "flat" ? flat(width, height)
                                                               : synthetic(std::stoi(kind.substr(kind.find(' '))), width, height);
      Checksum checksum;
      checksum.add(bytes);
      checksums.push_back(std::to_string(checksum.value()));
      return to_image(bytes, width, height);
    };
    const Image content = picture("seed 1", row["content"]);
    const Image start = picture(row["start"] == "content" ? "seed 1" : row["start"], row["content"]);
    std::vector<Image> styles;
    for (std::size_t i = 0; i < row["styles"].size(); ++i) styles.push_back(picture("seed " + std::to_string(11 + i), row["styles"][i]));
    ASSERT_EQ(checksums, row["pictures_checksum"].get<std::vector<std::string>>());
    if (device.slow && content.width * content.height > kMostPixelsForSlowDevices) continue;

    const PixelGradient result = networks[row["network"]].evaluate(start, content, styles, style_options(row["options"]));

    const double loss = loss_error(result.losses, row);
    EXPECT_LE(loss, device.loss_tolerance);
    ASSERT_EQ(result.gradient.size(), content.pixels.size());
    const double cosine = sketched_cosine_distance(result.gradient, row);
    EXPECT_LE(cosine, device.cosine_tolerance);
    largest_loss_error = std::max(largest_loss_error, loss);
    largest_cosine_distance = std::max(largest_cosine_distance, cosine);
    if (row["full_gradient"]) {
      const std::vector<float> expected = read_floats(golden_path(row["name"].get<std::string>() + ".gradient.f32"));
      // The file holds float32.
      EXPECT_LE(cosine_distance(result.gradient, expected), std::max(device.cosine_tolerance, 1e-14));
    }
  }
  std::printf("%s: loss error at most %.1e, 1 - cos at most %.1e\n", device.name.c_str(), largest_loss_error, largest_cosine_distance);
}

INSTANTIATE_TEST_SUITE_P(Devices, EvaluationGolden, testing::ValuesIn(devices()), name);

}  // namespace
}  // namespace impasto::golden
