// The losses along a run against torch.optim.LBFGS in float64 (lr 1, history 100, no line search), from the content.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tests/golden/golden_file.h"
#include "tests/golden/pictures.h"

namespace impasto::golden {
namespace {

Image picture(int seed, const nlohmann::json& size) {
  return to_image(synthetic(seed, size["width"], size["height"]), size["width"], size["height"]);
}

struct Error {
  double loss = 0;
  double gradient_rms = 0;
};

// Relative errors at each of the first `evaluations` evaluations.
std::vector<Error> errors(Session& session, const nlohmann::json& row, int evaluations) {
  StyleOptions options;
  options.pooling = row["pooling"] == "max" ? Pooling::kMax : Pooling::kAverage;
  options.optimizer = Optimizer::kLbfgsTorch;
  options.iterations = evaluations;
  const std::vector<Image> styles = {picture(row["style_seed"], row["style"])};
  const Result result = session.stylize(picture(row["seed"], row["content"]), styles, options);
  std::vector<Error> errors;
  for (const Evaluation& evaluation : result.evaluations) {
    const nlohmann::json& expected = row["evaluations"][errors.size()];
    const double loss = expected["total"], gradient = expected["gradient_rms"];
    errors.push_back({std::abs(evaluation.losses.total / loss - 1), std::abs(evaluation.gradient_rms / gradient - 1)});
  }
  return errors;
}

// In double. PyTorch against itself, the start changed by 1e-15 of itself, differs by up to 3e-10 on these pairs (README.md).
TEST(TrajectoryGolden, FollowsPyTorchInDouble) {
  const nlohmann::json golden = read_golden("trajectories.json");
  if (const std::string reason = why_no_weights(golden); !reason.empty()) GTEST_SKIP() << reason;
  Session session(weights_path(), on(Device::kReference));
  for (const nlohmann::json& row : golden["cases"]) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const std::vector<Error> error = errors(session, row, 20);
    ASSERT_EQ(error.size(), 20u);
    double largest = 0;
    for (std::size_t i = 0; i < error.size(); ++i) {
      EXPECT_LE(error[i].loss, 1e-6) << "evaluation " << i + 1;
      EXPECT_LE(error[i].gradient_rms, 1e-6) << "evaluation " << i + 1;
      largest = std::max({largest, error[i].loss, error[i].gradient_rms});
    }
    std::printf("largest error %.1e\n", largest);
  }
}

std::vector<DeviceCase> float_devices() {
  std::vector<DeviceCase> all = devices();
  std::erase_if(all, [](const DeviceCase& device) { return device.options.device == Device::kReference || device.options.tile != 0; });
  return all;
}

// In float32, runs part from the third evaluation on, PyTorch's own among them (README.md).
class FloatTrajectoryGolden : public testing::TestWithParam<DeviceCase> {};

TEST_P(FloatTrajectoryGolden, StartsAsPyTorch) {
  const nlohmann::json golden = read_golden("trajectories.json");
  if (const std::string reason = why_no_weights(golden); !reason.empty()) GTEST_SKIP() << reason;
  Session session(weights_path(), GetParam().options);
  for (const nlohmann::json& row : golden["cases"]) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const std::vector<Error> error = errors(session, row, 2);
    ASSERT_EQ(error.size(), 2u);
    EXPECT_LE(error[0].loss, 1e-5);
    EXPECT_LE(error[1].loss, 1e-5);
    std::printf("errors %.1e and %.1e\n", error[0].loss, error[1].loss);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, FloatTrajectoryGolden, testing::ValuesIn(float_devices()), name);

}  // namespace
}  // namespace impasto::golden
