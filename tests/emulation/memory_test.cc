// Sessions on the emulated device, linked in: with less and less memory plans that need less, then an error that says what would fit; what
// they say of numbers past binary16's range.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "impasto/error.h"
#include "impasto/session.h"
#include "tests/emulation/emulator.h"
#include "tests/support/random.h"

namespace impasto {
namespace {

Image picture(int width, int height, std::uint64_t seed) {
  const std::vector<double> values = testing_support::uniform(seed, 3 * width * height, 0, 1);
  return {width, height, {values.begin(), values.end()}};
}

std::int64_t free_bytes() {
  std::size_t available = 0;
  std::size_t total = 0;
  EXPECT_EQ(cudaMemGetInfo(&available, &total), cudaSuccess);
  return static_cast<std::int64_t>(available);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A content of 64 x 48, whose losses read the first layers only.
class DeviceMemory : public testing::Test {
 protected:
  DeviceMemory() {
    options_.content_layers = {"relu2_1"};
    options_.style_layers = {"relu1_1", "conv2_1"};
    options_.iterations = 2;
    options_.history = 2;
    unlimited_ = free_bytes();
  }
  // Of the whole process.
  ~DeviceMemory() override { emulation::set_device_memory(kPlenty); }

  void leave_free(std::int64_t bytes) {
    emulation::set_device_memory(kPlenty);
    emulation::set_device_memory(static_cast<std::size_t>(kPlenty - unlimited_ + bytes));
    EXPECT_EQ(free_bytes(), bytes);
  }
  void leave_plenty() { leave_free(unlimited_); }

  // What a run takes at most at a time, by its plan.
  std::int64_t needed(const Image& content, const std::vector<Image>& styles) {
    std::int64_t bytes = 0;
    for (const MemoryUse& use : session_.memory_plan(content, styles, options_)) bytes += use.bytes;
    return bytes;
  }

  std::optional<OutOfMemoryError> refusal(const Image& content, const std::vector<Image>& styles) {
    try {
      session_.stylize(content, styles, options_);
      return std::nullopt;
    } catch (const OutOfMemoryError& error) {
      EXPECT_FALSE(contains(error.what(), "\n")) << error.what();
      return error;
    }
  }

  static constexpr std::int64_t kPlenty = std::int64_t{16} << 30;
  // The first pooled convolution's tensors, of which the stand-in for cuDNN makes copies when it is to be quick.
  static constexpr std::int64_t kCopies = std::int64_t{64 + 64} * 64 * 48 * 4;

  Session session_ = Session::untrained(1, {.device = Device::kCuda});
  StyleOptions options_;
  std::int64_t unlimited_ = 0;
  const Image content_ = picture(64, 48, 1);
  const std::vector<Image> styles_ = {picture(24, 20, 2)};
};

TEST_F(DeviceMemory, JustEnoughIsEnough) {
  EXPECT_EQ(session_.device(), Device::kCuda);
  const Result expected = session_.stylize(content_, styles_, options_);
  leave_free(needed(content_, styles_));
  const Result result = session_.stylize(content_, styles_, options_);
  EXPECT_TRUE(result.notices.empty());
  EXPECT_EQ(result.image.pixels, expected.image.pixels);
}

TEST_F(DeviceMemory, WithLessThePlansAreLeaner) {
  const Result expected = session_.stylize(content_, styles_, options_);
  const std::int64_t need = needed(content_, styles_);
  const std::int64_t allocations = emulation::live_allocations();
  for (const std::int64_t bytes : {need - 1, need - kCopies}) {
    leave_free(bytes);
    const Result result = session_.stylize(content_, styles_, options_);
    ASSERT_EQ(result.notices.size(), 1u);
    EXPECT_TRUE(contains(result.notices[0], "out of device memory: ")) << result.notices[0];
    EXPECT_TRUE(contains(result.notices[0], "convolutions that need less memory were taken")) << result.notices[0];
    // The stand-in computes the same either way.
    EXPECT_EQ(result.image.pixels, expected.image.pixels);
    EXPECT_EQ(free_bytes(), bytes);
    EXPECT_EQ(emulation::live_allocations(), allocations);
  }
  leave_free(need - kCopies - 1);
  EXPECT_TRUE(refusal(content_, styles_));
  // The next run is planned to be quick again.
  leave_free(need);
  EXPECT_TRUE(session_.stylize(content_, styles_, options_).notices.empty());
}

TEST_F(DeviceMemory, AnEvaluatorsPlansAreLeanerToo) {
  std::int64_t need = 0;
  std::vector<double> expected;
  {
    Evaluator evaluator = session_.evaluator(content_, styles_, options_);
    need = unlimited_ - free_bytes();
    const PixelGradient there = evaluator.evaluate(content_);
    EXPECT_TRUE(there.notices.empty());
    expected = there.gradient;
  }
  leave_free(need);
  EXPECT_TRUE(session_.evaluate(content_, content_, styles_, options_).notices.empty());
  leave_free(need - kCopies);
  const PixelGradient there = session_.evaluate(content_, content_, styles_, options_);
  EXPECT_EQ(there.notices.size(), 1u);
  EXPECT_EQ(there.gradient, expected);
  leave_free(need - kCopies - 1);
  try {
    session_.evaluator(content_, styles_, options_);
    ADD_FAILURE() << "has room";
  } catch (const OutOfMemoryError& error) {
    EXPECT_TRUE(contains(error.what(), "at most 48 pixels wide it fits (content 48x36)")) << error.what();
    EXPECT_FALSE(contains(error.what(), "history")) << error.what();
  }
  EXPECT_EQ(free_bytes(), need - kCopies - 1);
}

TEST_F(DeviceMemory, AnErrorNamesTheLargestPicturesThatFit) {
  const Image wide = picture(150, 35, 3);
  const std::int64_t allocations = emulation::live_allocations();
  const Result expected = session_.stylize(content_, styles_, options_);
  for (const double share : {0.75, 0.4}) {
    for (const Image& content : {content_, wide}) {
      const std::int64_t bytes = static_cast<std::int64_t>(share * static_cast<double>(needed(content, styles_) - kCopies));
      leave_free(bytes);
      const std::optional<OutOfMemoryError> error = refusal(content, styles_);
      ASSERT_TRUE(error);
      EXPECT_EQ(error->free_bytes + std::int64_t{64 * 64 + 128 * 128} * 4, bytes);  // beside the targets
      EXPECT_GT(error->needed_bytes, error->free_bytes);
      EXPECT_TRUE(contains(error->what(), "history")) << error->what();
      const int width = error->max_width;
      ASSERT_GT(width, 0);
      EXPECT_EQ(width % 16, 0);
      const auto rows = [&](int columns) { return (content.height * columns + content.width - 1) / content.width; };
      EXPECT_TRUE(contains(error->what(), "at most " + std::to_string(width) + " pixels wide it fits (content " + std::to_string(width) +
                                              "x" + std::to_string(rows(width)) + ")"))
          << error->what();
      EXPECT_EQ(free_bytes(), bytes);
      EXPECT_EQ(emulation::live_allocations(), allocations);
      EXPECT_FALSE(refusal(picture(width, rows(width), 4), styles_));
      EXPECT_TRUE(refusal(picture(width + 16, rows(width + 16), 4), styles_));
    }
  }
  leave_plenty();
  EXPECT_EQ(session_.stylize(content_, styles_, options_).image.pixels, expected.image.pixels);
}

TEST_F(DeviceMemory, AStyleMayBeWhatIsTooLarge) {
  const Image content = picture(16, 16, 3);
  const Image style = picture(100, 100, 4);
  leave_free((needed(content, {style}) - std::int64_t{128} * 100 * 100 * 4) * 3 / 4);
  const std::optional<OutOfMemoryError> error = refusal(content, {styles_[0], style});
  ASSERT_TRUE(error);
  const int width = error->max_width;
  ASSERT_GT(width, 16);
  EXPECT_TRUE(contains(error->what(), "at most " + std::to_string(width) + " pixels wide it fits (content 16x16)")) << error->what();
  EXPECT_FALSE(refusal(content, {styles_[0], picture(width, width, 4)}));
  EXPECT_TRUE(refusal(content, {styles_[0], picture(width + 16, width + 16, 4)}));
}

TEST_F(DeviceMemory, WhereNothingFitsTheErrorSaysSo) {
  leave_free(100);
  options_.optimizer = Optimizer::kAdam;
  const std::optional<OutOfMemoryError> error = refusal(content_, styles_);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->max_width, 0);
  EXPECT_TRUE(contains(error->what(), "pictures of any size need more than is free")) << error->what();
  EXPECT_FALSE(contains(error->what(), "history")) << error->what();
}

TEST_F(DeviceMemory, APlanTakesNone) {
  leave_free(0);
  const std::int64_t allocations = emulation::live_allocations();
  EXPECT_GT(needed(content_, styles_), 0);
  EXPECT_EQ(emulation::live_allocations(), allocations);
}

// An allocation that fails once, for whatever reason, is the leaner run's; all else ends the run, and the session is as it was.
TEST_F(DeviceMemory, AnyCallOfARunMayFail) {
  const Image content = picture(8, 6, 1);
  const std::vector<Image> styles = {picture(9, 7, 2)};
  // Makes the plans, which are kept; that each of them may fail transfer_test.cc shows.
  const Result expected = session_.stylize(content, styles, options_);
  const std::int64_t before = emulation::calls();
  session_.stylize(content, styles, options_);
  const std::int64_t calls = emulation::calls() - before;
  const std::int64_t allocations = emulation::live_allocations();
  int leaner = 0;
  for (std::int64_t n = 1; n <= calls; ++n) {
    emulation::fail_call(n);
    try {
      const Result result = session_.stylize(content, styles, options_);
      ASSERT_EQ(result.notices.size(), 1u) << "call " << n << " of " << calls << " failed and nobody noticed";
      EXPECT_EQ(result.image.pixels, expected.image.pixels);
      ++leaner;
    } catch (const DeviceError& error) {
      EXPECT_FALSE(contains(error.what(), "\n")) << error.what();
    }
    emulation::fail_call(0);
    ASSERT_EQ(emulation::live_allocations(), allocations) << "after call " << n << " of " << calls << " failed";
  }
  // Of targets, the style picture, the targets' norms and the run.
  EXPECT_EQ(leaner, 4);
  EXPECT_TRUE(session_.stylize(content, styles, options_).notices.empty());
}

TEST(HalfPrecision, ASessionSaysWhatWasPastIt) {
  Session session = Session::untrained(1, {.device = Device::kCuda, .precision = Precision::kFp16});
  StyleOptions options;
  options.content_layers = {"relu2_1"};
  options.style_layers = {"relu1_1", "conv2_1"};
  options.iterations = 2;
  options.history = 2;
  const std::vector<Image> styles = {picture(9, 7, 2)};
  const Image content = picture(8, 6, 1);
  const auto with_contrast = [&](float contrast) {
    Image image = content;
    for (float& pixel : image.pixels) pixel *= contrast;
    return image;
  };
  EXPECT_TRUE(session.stylize(content, styles, options).notices.empty());
  const Image harsh = with_contrast(2000);
  Evaluator evaluator = session.evaluator(content, styles, options);
  EXPECT_TRUE(evaluator.evaluate(content).notices.empty());
  const std::vector<std::string> notices = evaluator.evaluate(harsh).notices;
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(contains(notices[0], "passed what fp16 holds at 1 of the pictures")) << notices[0];
  options.init = Init::kPicture;
  EXPECT_EQ(session.stylize(content, styles, options, {}, &harsh).notices.size(), 1u);
  // Nothing can be done with a start whose activations are past it; the content's are an error.
  const Image endless = with_contrast(1e8f);
  EXPECT_EQ(session.stylize(content, styles, options, {}, &endless).stop_reason, StopReason::kNotFinite);
  options.init = Init::kContent;
  EXPECT_THROW(session.stylize(endless, styles, options), OptionError);
  EXPECT_THROW(session.stylize(content, std::vector<Image>{endless}, options), OptionError);
}

// Losses, the best picture, tolerances, progress and the question whether to stop: of all that the host decides at each turn it decides on
// what one wait has brought.
TEST_F(DeviceMemory, OfIterationsIsWaitedForOnce) {
  for (const Optimizer optimizer : {Optimizer::kLbfgs, Optimizer::kLbfgsTorch, Optimizer::kAdam}) {
    options_.optimizer = optimizer;
    options_.iterations = 6;
    std::vector<std::int64_t> waits;
    session_.stylize(content_, styles_, options_, [&](const Progress&) {
      waits.push_back(emulation::waits());
      return true;
    });
    ASSERT_EQ(waits.size(), 6u);
    for (std::size_t i = 1; i < waits.size(); ++i) EXPECT_EQ(waits[i], waits[i - 1] + 1) << i;
  }
}

TEST(DeviceMemoryOfASession, MayNotHoldTheNetwork) {
  emulation::set_device_memory(std::size_t{20} << 20);
  EXPECT_THROW(Session::untrained(1, {.device = Device::kCuda}), OutOfMemoryError);
  emulation::set_device_memory(std::size_t{16} << 30);
  EXPECT_EQ(emulation::live_allocations(), 0);
  EXPECT_EQ(emulation::live_streams(), 0);
}

}  // namespace
}  // namespace impasto
