// The choice of plans by measuring them: on the emulation, whose events read a clock of the device's own, with the three engines that stand
// in for cuDNN's (dnn.cc).
#include "kernels/cuda/tuner.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "impasto/error.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/timing.h"
#include "tests/emulation/emulator.h"
#include "tests/support/random.h"

namespace impasto::cuda {
namespace {

using std::chrono::microseconds;

TEST(EngineChoices, AreTheirTexts) {
  for (const EngineChoice& choice :
       {EngineChoice{}, EngineChoice{12, {{2, 1}}}, EngineChoice{3, {{0, -1}, {44, 1'000'000'000'000}, {7, 0}}}}) {
    const std::optional<EngineChoice> read = engine_choice(to_string(choice));
    ASSERT_TRUE(read) << to_string(choice);
    EXPECT_EQ(*read, choice);
  }
  EXPECT_EQ(to_string(EngineChoice{12, {{2, 1}, {13, 0}}}), "engine 12, knobs 2=1 13=0");
  for (const char* const wrong :
       {"", "engine", "engine ", "engine 1", "engine x, knobs", "engine 1, knobs ", "engine 1, knobs 2",
        "engine 1, knobs 2=", "engine 1, knobs 2=1,", "engine 1, knobs 2=1 ", "engine 1, knobs=1", "engine 99999999999999999999, knobs"}) {
    EXPECT_FALSE(engine_choice(wrong)) << wrong;
  }
}

class TunerTest : public testing::Test {
 protected:
  TunerTest() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
    dnn_ = make_dnn(stream_);
  }
  ~TunerTest() override {
    emulation::set_device_memory(kPlenty);
    emulation::fail_call(0);
    cudaStreamDestroy(stream_);
    EXPECT_EQ(emulation::live_allocations(), 0);
    EXPECT_EQ(emulation::live_events(), 0);
    EXPECT_EQ(emulation::live_graphs(), 0);
  }

  Tuner tuner(bool measures, MeasuredPlans known = {}, const std::string& device = "Some device") {
    return Tuner(*dnn_, stream_, device, measures, std::move(known));
  }
  // Of the stand-in: what heuristics choose, and the quickest, which has 16 MiB more.
  std::int64_t workspace(Prefer prefer = Prefer::kSpeed) { return dnn_->plan(kConvolution, prefer)->workspace_bytes(); }
  std::int64_t quickest_workspace(Prefer prefer = Prefer::kSpeed) { return workspace(prefer) + (std::int64_t{16} << 20); }

  static constexpr Convolution kConvolution{Convolution::Kind::kForwardRelu, 5, 7, 4, 6, Precision::kTf32};
  static constexpr std::size_t kPlenty = std::size_t{16} << 30;
  const std::string kName = "cuDNN 9.99.0, Some device, tf32, forward with ReLU, 4 to 6 channels of 7x5";
  const std::string kQuickest = "engine 12, knobs 2=7 5=1";

  cudaStream_t stream_ = nullptr;
  std::unique_ptr<Dnn> dnn_;
};

TEST_F(TunerTest, TimesAreTheDevicesWithoutTheFirst) {
  int calls = 0;
  const auto operations = [&] {
    emulation::enqueue(
        stream_, [] {}, ++calls == 1 ? microseconds(900) : microseconds(30));
    emulation::enqueue(
        stream_, [] {}, microseconds(5));
  };
  EXPECT_FLOAT_EQ(static_cast<float>(median_milliseconds(operations, stream_)), 0.035f);
  // Carried out and captured; replays are the graph's.
  EXPECT_EQ(calls, 2);
}

TEST_F(TunerTest, MeasuresTheMedianOfCalls) {
  constexpr std::array<int, 6> kMicroseconds = {1000, 30, 10, 50, 20, 90};
  std::size_t calls = 0;
  const auto enqueue = [&] {
    emulation::enqueue(
        stream_, [] {}, microseconds(kMicroseconds.at(calls++)));
  };
  EXPECT_FLOAT_EQ(static_cast<float>(median_call_milliseconds(enqueue, stream_)), 0.030f);
  EXPECT_EQ(calls, kMicroseconds.size());
}

TEST_F(TunerTest, TakesTheQuickest) {
  Tuner measuring = tuner(true);
  EXPECT_EQ(measuring.plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), quickest_workspace());
  EXPECT_EQ(measuring.measured(), (MeasuredPlans{{kName, kQuickest}}));
  EXPECT_EQ(measuring.plan(kConvolution, Prefer::kMemory)->workspace_bytes(), quickest_workspace(Prefer::kMemory));
  EXPECT_EQ(measuring.measured(), (MeasuredPlans{{kName, kQuickest}, {kName + ", little memory", "engine 12, knobs 2=7 5=0"}}));
}

TEST_F(TunerTest, MeasuresEachConvolutionOnce) {
  Tuner measuring = tuner(true);
  measuring.plan(kConvolution, Prefer::kSpeed);
  const std::int64_t launches = emulation::graph_launches();
  EXPECT_GT(launches, 0);
  EXPECT_EQ(measuring.plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), quickest_workspace());
  EXPECT_EQ(emulation::graph_launches(), launches);
  std::size_t different = 1;
  for (Convolution other : {Convolution{Convolution::Kind::kForward, 5, 7, 4, 6, Precision::kTf32},
                            Convolution{Convolution::Kind::kGradient, 5, 7, 4, 6, Precision::kTf32},
                            Convolution{Convolution::Kind::kForwardRelu, 7, 5, 4, 6, Precision::kTf32},
                            Convolution{Convolution::Kind::kForwardRelu, 5, 7, 6, 4, Precision::kTf32},
                            Convolution{Convolution::Kind::kForwardRelu, 5, 7, 4, 6, Precision::kFp32},
                            Convolution{Convolution::Kind::kForwardRelu, 5, 7, 4, 6, Precision::kBf16}}) {
    const std::int64_t before = emulation::graph_launches();
    measuring.plan(other, Prefer::kSpeed);
    EXPECT_GT(emulation::graph_launches(), before);
    EXPECT_EQ(measuring.measured().size(), ++different);
  }
}

TEST_F(TunerTest, TakesWhatWasMeasuredBefore) {
  const MeasuredPlans known = {{kName, "engine 13, knobs 2=7 5=0"}, {"something else", "of another program"}};
  const std::int64_t launches = emulation::graph_launches();
  for (const bool measures : {false, true}) {
    Tuner informed = tuner(measures, known);
    // Engine 13, set to copy nothing.
    EXPECT_EQ(informed.plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), workspace(Prefer::kMemory));
    EXPECT_EQ(informed.measured(), known);
  }
  EXPECT_EQ(emulation::graph_launches(), launches);
  // Of another device, it counts no more here than nothing.
  EXPECT_EQ(tuner(false, known, "Another device").plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), workspace());
  EXPECT_EQ(tuner(true, known, "Another device").plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), quickest_workspace());
}

TEST_F(TunerTest, MakesEachPlanOnce) {
  Tuner guessing = tuner(false);
  const std::shared_ptr<DnnPlan> plan = guessing.plan(kConvolution, Prefer::kSpeed);
  const std::int64_t calls = emulation::calls();
  EXPECT_EQ(guessing.plan(kConvolution, Prefer::kSpeed), plan);
  EXPECT_EQ(emulation::calls(), calls);
  EXPECT_NE(guessing.plan(kConvolution, Prefer::kMemory), plan);
  Convolution other = kConvolution;
  ++other.w;
  EXPECT_NE(guessing.plan(other, Prefer::kSpeed), plan);
}

TEST_F(TunerTest, WithoutMeasuringTheFirstChoiceIsTaken) {
  Tuner guessing = tuner(false);
  EXPECT_EQ(guessing.plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), workspace());
  EXPECT_TRUE(guessing.measured().empty());
}

// Which another cuDNN of the same version may not know, or which somebody has edited.
TEST_F(TunerTest, MeasuresAgainWhatNoPlanCanBeMadeOf) {
  for (const char* const wrong : {"engine 99, knobs", "engine 12, knobs 2=8 5=1", "engine 12", ""}) {
    const MeasuredPlans known = {{kName, wrong}};
    EXPECT_EQ(tuner(false, known).plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), workspace()) << wrong;
    Tuner measuring = tuner(true, known);
    EXPECT_EQ(measuring.plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), quickest_workspace()) << wrong;
    EXPECT_EQ(measuring.measured(), (MeasuredPlans{{kName, kQuickest}})) << wrong;
  }
}

TEST_F(TunerTest, NamesArePlainText) {
  Tuner measuring = tuner(true, {}, "A \"device\" \\ of\nhers \xc3\xa4");
  measuring.plan(kConvolution, Prefer::kSpeed);
  EXPECT_EQ(measuring.measured().begin()->first, "cuDNN 9.99.0, A _device_ _ of_hers __, tf32, forward with ReLU, 4 to 6 channels of 7x5");
}

TEST_F(TunerTest, PassesOverPlansThatHaveNoRoom) {
  const auto leave = [](std::int64_t bytes) { emulation::set_device_memory(static_cast<std::size_t>(bytes)); };
  constexpr std::int64_t kTensors = (4 * 35 + 9 * 24 + 6 + 6 * 35) * 4;
  leave(kTensors + quickest_workspace());
  EXPECT_EQ(tuner(true).plan(kConvolution, Prefer::kSpeed)->workspace_bytes(), quickest_workspace());
  leave(kTensors + quickest_workspace() - 1);
  Tuner measuring = tuner(true);
  measuring.plan(kConvolution, Prefer::kSpeed);
  EXPECT_EQ(measuring.measured(), (MeasuredPlans{{kName, "engine 13, knobs 2=7 5=1"}}));
  for (const std::int64_t bytes : {kTensors + workspace() - 1, kTensors - 1}) {
    leave(bytes);
    Tuner refused = tuner(true);
    EXPECT_THROW(refused.plan(kConvolution, Prefer::kSpeed), OutOfMemoryError);
    EXPECT_TRUE(refused.measured().empty());
  }
}

// A workspace that cannot be had once is passed over, which leaves another engine; all else is an error, and nothing is left behind.
TEST_F(TunerTest, EachCallMayFail) {
  const std::int64_t before = emulation::calls();
  tuner(true).plan(kConvolution, Prefer::kSpeed);
  const std::int64_t calls = emulation::calls() - before;
  ASSERT_GT(calls, 50);
  int passed_over = 0;
  for (std::int64_t n = 1; n <= calls; ++n) {
    Tuner measuring = tuner(true);
    emulation::fail_call(n);
    try {
      measuring.plan(kConvolution, Prefer::kSpeed);
      ++passed_over;
    } catch (const DeviceError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    emulation::fail_call(0);
    ASSERT_EQ(emulation::live_allocations(), 0) << "after call " << n << " of " << calls << " failed";
    ASSERT_EQ(emulation::live_events(), 0) << "after call " << n << " of " << calls << " failed";
    ASSERT_EQ(emulation::live_graphs(), 0) << "after call " << n << " of " << calls << " failed";
    EXPECT_NE(measuring.plan(kConvolution, Prefer::kSpeed), nullptr);
  }
  // One of each engine's.
  EXPECT_EQ(passed_over, 3);
}

TEST(AutotunedBackend, ComputesTheSameWithPlansOfItsOwn) {
  const std::vector<double> weight = testing_support::normal(1, 9 * 8 * 16);
  const std::vector<float> weight_floats(weight.begin(), weight.end());
  const std::vector<float> bias(16, 0.25f);
  constexpr Shape kIn{8, 6, 4};
  constexpr Shape kOut{16, 6, 4};
  struct Made {
    std::vector<double> out;
    std::int64_t scratch;
    MeasuredPlans plans;
  };
  const auto make = [&](const BackendOptions& options) {
    const std::unique_ptr<Backend> backend = make_cuda_backend(options);
    const std::unique_ptr<Filters> filters = backend->load_filters({8, 16, false, weight_floats, bias});
    const std::unique_ptr<ConvPlan> plan = backend->plan_conv3x3({kIn.h, kIn.w, Epilogue::kRelu, filters.get()});
    const std::array<Buffer, 3> memory = {backend->allocate(backend->features_bytes(kIn)), backend->allocate(backend->features_bytes(kOut)),
                                          backend->allocate(plan->scratch_bytes())};
    const Features in{memory[0].data(), kIn};
    const Features out{memory[1].data(), kOut};
    backend->upload(testing_support::normal(2, kIn.size()), in);
    plan->forward(in, out, {}, memory[2].data());
    Made made{std::vector<double>(static_cast<std::size_t>(kOut.size())), plan->scratch_bytes(), backend->measured_plans()};
    backend->download(out, made.out);
    return made;
  };
  const Made guessed = make({});
  EXPECT_TRUE(guessed.plans.empty());
  const Made tuned = make({.autotune = true});
  EXPECT_EQ(tuned.out, guessed.out);
  EXPECT_EQ(tuned.scratch, guessed.scratch + (std::int64_t{16} << 20));
  ASSERT_EQ(tuned.plans.size(), 2u);
  EXPECT_EQ(tuned.plans.begin()->first,
            "cuDNN 9.99.0, Emulated device, compute capability 9.0, tf32, forward with ReLU, 8 to 16 channels of 4x6");
  const Made informed = make({.measured_plans = tuned.plans});
  EXPECT_EQ(informed.scratch, tuned.scratch);
  EXPECT_EQ(informed.plans, tuned.plans);
  EXPECT_EQ(emulation::live_allocations(), 0);
}

}  // namespace
}  // namespace impasto::cuda
