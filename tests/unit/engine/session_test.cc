#include "impasto/session.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>

#include "impasto/error.h"
#include "tests/support/random.h"

namespace impasto {
namespace {

Image picture(int width, int height, std::uint64_t seed) {
  const std::vector<double> values = testing_support::uniform(seed, 3 * width * height, 0, 1);
  return {width, height, {values.begin(), values.end()}};
}

class SessionTest : public testing::Test {
 protected:
  static Session make(int threads = 1) { return Session::untrained(1, {.device = Device::kCpu, .threads = threads}); }

  const Image content_ = picture(24, 20, 1);
  const std::vector<Image> styles_ = {picture(20, 26, 2)};
};

TEST_F(SessionTest, LowersTheLossAndReturnsTheBest) {
  Session session = make();
  StyleOptions options;
  options.iterations = 12;
  const Result result = session.stylize(content_, styles_, options);
  ASSERT_EQ(result.evaluations.size(), 12u);
  EXPECT_EQ(result.stop_reason, StopReason::kIterations);
  double best = INFINITY;
  for (const Evaluation& e : result.evaluations) {
    EXPECT_EQ(e.index, &e - result.evaluations.data() + 1);
    double sum = e.losses.content + e.losses.tv;
    for (const double s : e.losses.style) sum += s;
    EXPECT_DOUBLE_EQ(sum, e.losses.total);
    best = std::min(best, e.losses.total);
  }
  EXPECT_LT(best, result.evaluations.front().losses.total);
  EXPECT_NEAR(session.evaluate(result.image, content_, styles_, options).losses.total, best, 1e-5 * best);
}

TEST_F(SessionTest, NoIterationsEvaluateOnceAndChangeNothing) {
  StyleOptions options;
  options.iterations = 0;
  const Result result = make().stylize(content_, styles_, options);
  EXPECT_EQ(result.evaluations.size(), 1u);
  for (std::size_t i = 0; i < content_.pixels.size(); ++i) EXPECT_NEAR(result.image.pixels[i], content_.pixels[i], 1e-6);
}

TEST_F(SessionTest, SameBitsForAnyNumberOfThreads) {
  StyleOptions options;
  options.iterations = 6;
  options.init = Init::kRandom;
  const Result one = make(1).stylize(content_, styles_, options);
  for (const int threads : {1, 2, 5}) {
    const Result other = make(threads).stylize(content_, styles_, options);
    EXPECT_EQ(one.image.pixels, other.image.pixels) << threads;
  }
}

TEST_F(SessionTest, ObserverCancelsAndSeesTheBestPicture) {
  StyleOptions options;
  options.iterations = 100;
  Image seen;
  const Result result = make().stylize(content_, styles_, options, [&](const Progress& progress) {
    EXPECT_EQ(progress.iterations, 100);
    if (progress.evaluation.index < 4) return true;
    seen = progress.picture();
    return false;
  });
  EXPECT_EQ(result.evaluations.size(), 4u);
  EXPECT_EQ(result.stop_reason, StopReason::kCancelled);
  EXPECT_EQ(seen.pixels, result.image.pixels);
}

TEST_F(SessionTest, ExceptionsOfTheObserverPass) {
  EXPECT_THROW(make().stylize(content_, styles_, {}, [](const Progress&) -> bool { throw std::runtime_error("mine"); }),
               std::runtime_error);
}

// Losses beyond what a double holds: three returns to the start, then a named stop with the picture as it was.
TEST_F(SessionTest, StopsWhereNothingIsFinite) {
  StyleOptions options;
  options.iterations = 50;
  options.style_weights = {1.7e308};
  options.content_weight = 1.7e308;
  options.init = Init::kRandom;
  const Result result = make().stylize(content_, styles_, options);
  EXPECT_EQ(result.stop_reason, StopReason::kNotFinite);
  EXPECT_EQ(result.evaluations.size(), 4u);
  for (const float p : result.image.pixels) EXPECT_TRUE(std::isfinite(p));
}

TEST_F(SessionTest, BlendsStyles) {
  StyleOptions options;
  options.style_weights = {1.0};
  const std::vector<Image> two = {styles_[0], picture(17, 31, 9)};
  Session session = make();
  const auto losses = [&](std::vector<double> blend) {
    options.style_blend = std::move(blend);
    return session.evaluate(content_, content_, two, options).losses.style;
  };
  const std::vector<double> first = losses({1, 0});
  options.style_blend.clear();
  const std::vector<double> alone = session.evaluate(content_, content_, styles_, options).losses.style;
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(first[i], alone[i], 1e-6 * alone[i]);
  EXPECT_EQ(losses({2, 6}), losses({0.25, 0.75}));
  EXPECT_THROW(losses({1}), OptionError);
}

TEST_F(SessionTest, PixelGradientIsThatOfTheLoss) {
  Session session = Session::untrained(1, {.device = Device::kReference});
  StyleOptions options;
  options.tv_weight = 3;
  options.style_layers = {"relu1_1", "conv2_1"};
  options.content_layers = {"relu2_1"};
  Evaluator evaluator = session.evaluator(content_, styles_, options);
  const Image start = picture(24, 20, 5);
  const PixelGradient at = evaluator.evaluate(start);
  const std::vector<double> direction = testing_support::normal(8, static_cast<std::int64_t>(start.pixels.size()));
  // Pixels are floats, so the step cannot be small enough to miss every kink of ReLU and max pooling; gradient tests proper are in
  // tests/gradient and feature_net_test. This one would see a wrong channel order or scale.
  double along = 0;
  Image ahead = start;
  Image behind = start;
  for (std::size_t i = 0; i < start.pixels.size(); ++i) {
    const float h = direction[i] > 0 ? 0x1p-14f : -0x1p-14f;
    ahead.pixels[i] += h;
    behind.pixels[i] -= h;
    along += at.gradient[i] * (static_cast<double>(ahead.pixels[i]) - behind.pixels[i]);
  }
  const double difference = evaluator.evaluate(ahead).losses.total - evaluator.evaluate(behind).losses.total;
  EXPECT_NEAR(difference, along, 0.02 * std::abs(along));
}

TEST_F(SessionTest, TimesEveryEvaluationOfThePixels) {
  Session session = make();
  Evaluator evaluator = session.evaluator(content_, styles_);
  const std::vector<double> expected = evaluator.evaluate(content_).gradient;
  const auto start = std::chrono::steady_clock::now();
  const std::vector<double> seconds = evaluator.seconds(picture(24, 20, 5), 3);
  const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_EQ(seconds.size(), 3u);
  for (const double each : seconds) EXPECT_GT(each, 0);
  EXPECT_LE(seconds[0] + seconds[1] + seconds[2], all);
  EXPECT_EQ(evaluator.evaluate(content_).gradient, expected);
  EXPECT_THROW(evaluator.seconds(content_, 0), OptionError);
  EXPECT_THROW(evaluator.seconds(picture(24, 21, 1), 1), ShapeError);
}

TEST_F(SessionTest, RefusesWhatDoesNotFit) {
  Session session = make();
  EXPECT_THROW(session.stylize(content_, {}, {}), OptionError);
  EXPECT_THROW(session.stylize({0, 0, {}}, styles_, {}), ShapeError);
  EXPECT_THROW(session.stylize(picture(8, 8, 1), styles_, {}), ShapeError);
  EXPECT_THROW(session.evaluate(picture(24, 21, 1), content_, styles_), ShapeError);
  StyleOptions from_picture;
  from_picture.init = Init::kPicture;
  EXPECT_THROW(session.stylize(content_, styles_, from_picture), OptionError);
  EXPECT_THROW(Session("no such file.h5"), WeightError);
  EXPECT_THROW(Session::untrained(1, {.threads = -1}), OptionError);
  EXPECT_THROW(Session::untrained(1, {.cpu_isa = "abacus"}), OptionError);
}

TEST_F(SessionTest, MemoryPlanCountsTheHistory) {
  const Session session = make();
  const auto history_bytes = [&](Optimizer optimizer, int pairs) {
    StyleOptions options;
    options.optimizer = optimizer;
    options.history = pairs;
    for (const MemoryUse& use : session.memory_plan(content_, styles_, options)) {
      if (use.purpose == "L-BFGS history") return use.bytes;
    }
    return std::int64_t{0};
  };
  // Bytes per pixel and pair, up to alignment: two vectors of three float32; of three numbers a word and, for 96 of them, a float32 (whole
  // lines of 64 bytes of both).
  const auto each = [&](Optimizer optimizer) {
    return static_cast<double>(history_bytes(optimizer, 110) - history_bytes(optimizer, 10)) / 100;
  };
  EXPECT_NEAR(each(Optimizer::kLbfgsTorch), 24.0 * 24 * 20, 2 * 256);
  EXPECT_NEAR(each(Optimizer::kLbfgs), 8.25 * 24 * 20, 2 * (256 + 128));
}

TEST_F(SessionTest, MemoryPlanCountsStylesOnlyBeyondTheRest) {
  const Session session = make();
  const auto bytes = [&](int width, int height) {
    std::int64_t sum = 0;
    for (const MemoryUse& use : session.memory_plan(content_, std::array{Image{width, height, {}}})) sum += use.bytes;
    return static_cast<double>(sum);
  };
  EXPECT_EQ(bytes(16, 16), bytes(24, 20));
  const double large = bytes(2000, 1000);
  EXPECT_GT(large, 2 * bytes(24, 20));
  EXPECT_NEAR(bytes(4000, 1000) / large, 2, 0.2);
}

}  // namespace
}  // namespace impasto
