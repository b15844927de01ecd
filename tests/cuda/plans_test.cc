// cuDNN has a plan for every convolution of the network, on devices and for pictures large and small. Runs where there is neither device
// nor driver: the devices are described (devices/README.md).
//
// By default some of the sizes, so that CI has the time. In the environment:
//   IMPASTO_PLANS=all                      all sizes, and all precisions that a device has (otherwise those of the H200 and the T4)
//   IMPASTO_DEVICE_JSON=file               the device described there instead
//   IMPASTO_PLAN_SIZES=640x480,1920x1080   these sizes instead
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/vgg19.h"
#include "impasto/error.h"
#include "kernels/cuda/dnn_graph.h"

namespace impasto::cuda {
namespace {

using Kind = Convolution::Kind;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string device_name(const std::string& path) { return std::filesystem::path(path).stem().string(); }

// The text of a description; "" where there is none.
std::string description(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

PlanTarget described(const std::string& path) {
  const std::string text = description(path);
  if (text.empty()) throw DeviceError("there is no description " + path);
  return PlanTarget(text);
}

struct Device {
  std::string path;  // of the description
  Precision precision = Precision::kFp32;

  std::string name() const { return device_name(path) + " " + to_string(precision); }
};

// Without a description of a readable compute capability: 0.
int hundredfold_compute_capability(const std::string& text) {
  const std::string key = "\"deviceVer\":";
  const std::size_t at = text.find(key);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + key.size());
}

std::vector<Device> devices() {
  const std::string own = environment("IMPASTO_DEVICE_JSON");
  std::vector<std::string> paths{own};
  if (own.empty()) {
    paths.clear();
    for (const char* const name : {"a100", "b200", "h200", "l4", "rtx4090", "t4"}) {
      paths.push_back(std::string(IMPASTO_CUDA_DEVICES) + "/" + name + ".json");
    }
  }
  std::vector<Device> made;
  for (const std::string& path : paths) {
    made.push_back({path, Precision::kFp32});
    // The T4's tensor cores take binary16 and neither TF32 nor bfloat16.
    const bool all = !own.empty() || environment("IMPASTO_PLANS") == "all" || device_name(path) == "h200";
    if (all || device_name(path) == "t4") made.push_back({path, Precision::kFp16});
    if (!all || hundredfold_compute_capability(description(path)) < 800) continue;
    made.push_back({path, Precision::kTf32});
    made.push_back({path, Precision::kBf16});
  }
  return made;
}

// "WIDTHxHEIGHT". The smallest the network takes, odd ones, narrow ones and those that people use.
std::vector<std::string> sizes() {
  const std::string own = environment("IMPASTO_PLAN_SIZES");
  if (!own.empty()) {
    std::vector<std::string> made;
    std::istringstream list(own);
    for (std::string size; std::getline(list, size, ',');) made.push_back(size);
    return made;
  }
  if (environment("IMPASTO_PLANS") != "all") return {"400x300", "333x251", "37x2001", "16x16"};
  return {"400x300", "512x512", "1024x1024", "2048x2048", "333x251", "2001x37", "37x2001", "224x224", "16x16"};
}

struct Picture {
  int width = 0;
  int height = 0;
};

// {} for another text.
Picture picture_of(const std::string& size) {
  const char* const end = size.data() + size.size();
  Picture picture;
  const auto width = std::from_chars(size.data(), end, picture.width);
  if (width.ec != std::errc() || width.ptr == end || *width.ptr != 'x') return {};
  const auto height = std::from_chars(width.ptr + 1, end, picture.height);
  if (height.ec != std::errc() || height.ptr != end || picture.width < 1 || picture.height < 1) return {};
  return picture;
}

// Of GoogleTest's parameters: letters, digits and underscores.
std::string test_name(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return text;
}

// A convolution of the network for a picture of one size.
struct Place {
  const ConvLayer& layer;
  int h;
  int w;

  Convolution convolution(Kind kind, Precision precision) const { return {kind, h, w, layer.in_channels, layer.out_channels, precision}; }
};

// All of them but the first, which is not cuDNN's to do, and but those that are as one before.
std::vector<Place> places(Picture picture) {
  std::vector<Place> made;
  int h = picture.height;
  int w = picture.width;
  for (const ConvLayer& layer : kVgg19) {
    const bool is_known = std::any_of(made.begin(), made.end(), [&](const Place& place) {
      return std::tuple(place.layer.in_channels, place.layer.out_channels, place.h, place.w) ==
             std::tuple(layer.in_channels, layer.out_channels, h, w);
    });
    if (&layer != &kVgg19.front() && !is_known) made.push_back({layer, h, w});
    if (layer.pool_after) {
      h /= 2;
      w /= 2;
    }
  }
  return made;
}

const char* name_of(Kind kind) { return kind == Kind::kForward ? "forward" : kind == Kind::kForwardRelu ? "forward, ReLU" : "gradient"; }

void print_line(const std::string& device, const Place& place, Kind kind, const ChosenPlan& chosen) {
  std::printf("%-12s  %s  %3d -> %3d  %4dx%-4d  %-13s  engine %2d  workspace %10lld\n", device.c_str(), place.layer.name,
              place.layer.in_channels, place.layer.out_channels, place.w, place.h, name_of(kind), static_cast<int>(chosen.engine),
              static_cast<long long>(chosen.workspace_bytes));
}

class Table : public testing::TestWithParam<std::tuple<Device, std::string>> {
 protected:
  const Device& device() const { return std::get<0>(GetParam()); }
  const std::string& size() const { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Described, Table, testing::Combine(testing::ValuesIn(devices()), testing::ValuesIn(sizes())),
                         [](const auto& one) { return test_name(std::get<0>(one.param).name() + "_" + std::get<1>(one.param)); });

// The plans of a run have one workspace in turn: what they need of the device is the largest.
TEST_P(Table, HasAPlanForEveryConvolution) {
  const Picture picture = picture_of(size());
  ASSERT_GE(std::min(picture.width, picture.height), 16) << "size '" << size() << "'; accepted: WIDTHxHEIGHT, each at least 16";
  const PlanTarget target = described(device().path);
  std::int64_t largest = 0;
  std::int64_t largest_of_lean = 0;
  for (const Place& place : places(picture)) {
    for (const Kind kind : {Kind::kForwardRelu, Kind::kGradient}) {
      SCOPED_TRACE(std::string(place.layer.name) + ", " + name_of(kind));
      const Convolution convolution = place.convolution(kind, device().precision);
      const std::int64_t cap = workspace_cap(convolution);
      try {
        const ChosenPlan chosen = choose_plan(convolution, target, cap);
        const ChosenPlan lean = choose_plan(convolution, target, cap, Prefer::kMemory);
        EXPECT_LE(chosen.workspace_bytes, cap);
        EXPECT_LE(lean.workspace_bytes, std::min(chosen.workspace_bytes, kSmallWorkspace));
        largest = std::max(largest, chosen.workspace_bytes);
        largest_of_lean = std::max(largest_of_lean, lean.workspace_bytes);
        print_line(device().name(), place, kind, chosen);
        if (lean.workspace_bytes < chosen.workspace_bytes) print_line("  leaner", place, kind, lean);
      } catch (const DeviceError& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  std::printf("%-12s  %s: largest workspace %lld bytes, of the lean plans %lld\n", device().name().c_str(), size().c_str(),
              static_cast<long long>(largest), static_cast<long long>(largest_of_lean));
}

class Plans : public testing::TestWithParam<Device> {
 protected:
  static Place first(Picture picture) { return places(picture).front(); }
  static Convolution of(const Place& place, Kind kind) { return place.convolution(kind, GetParam().precision); }

  PlanTarget target_ = described(GetParam().path);
};

INSTANTIATE_TEST_SUITE_P(Described, Plans, testing::ValuesIn(devices()), [](const auto& one) { return test_name(one.param.name()); });

TEST_P(Plans, ForAConvolutionWithoutReLU) {
  for (const Place& place : places({400, 300})) {
    const Convolution convolution = of(place, Kind::kForward);
    const ChosenPlan chosen = choose_plan(convolution, target_, workspace_cap(convolution));
    print_line(GetParam().name(), place, Kind::kForward, chosen);
    EXPECT_LE(chosen.workspace_bytes, workspace_cap(convolution));
  }
}

// Engine 0 computes anything, slowly.
TEST_P(Plans, ForLargePicturesNotTheEngineOfLastResort) {
  for (const int size : {1024, 4096}) {
    for (const Kind kind : {Kind::kForward, Kind::kForwardRelu, Kind::kGradient}) {
      const Place place = first({size, size});
      const Convolution convolution = of(place, kind);
      const ChosenPlan chosen = choose_plan(convolution, target_, workspace_cap(convolution));
      print_line(GetParam().name(), place, kind, chosen);
      EXPECT_NE(chosen.engine, 0);
    }
  }
}

TEST_P(Plans, TheSameTwice) {
  const Convolution convolution = of(first({400, 300}), Kind::kForwardRelu);
  for (const Prefer prefer : {Prefer::kSpeed, Prefer::kMemory}) {
    const ChosenPlan once = choose_plan(convolution, target_, workspace_cap(convolution), prefer);
    const ChosenPlan again = choose_plan(convolution, target_, workspace_cap(convolution), prefer);
    EXPECT_EQ(once.engine, again.engine);
    EXPECT_EQ(once.workspace_bytes, again.workspace_bytes);
  }
}

// Engine and knobs are all that tells the plans of one convolution apart.
TEST_P(Plans, AreMadeAgainFromTheirChoices) {
  constexpr std::size_t kMost = 8;
  for (const Kind kind : {Kind::kForward, Kind::kForwardRelu, Kind::kGradient}) {
    const Convolution convolution = of(first({400, 300}), kind);
    const std::int64_t cap = workspace_cap(convolution);
    for (const Prefer prefer : {Prefer::kSpeed, Prefer::kMemory}) {
      const std::vector<EngineChoice> choices = list_choices(convolution, target_, cap, prefer, kMost);
      ASSERT_FALSE(choices.empty());
      EXPECT_LE(choices.size(), kMost);
      const ChosenPlan chosen = choose_plan(convolution, target_, cap, prefer);
      for (const EngineChoice& choice : choices) {
        const std::optional<ChosenPlan> again = plan_of(choice, convolution, target_, cap);
        ASSERT_TRUE(again) << "engine " << choice.engine;
        EXPECT_EQ(again->engine, choice.engine);
        EXPECT_LE(again->workspace_bytes, cap);
        EXPECT_EQ(std::count(choices.begin(), choices.end(), choice), 1);
        if (&choice == &choices.front()) {
          EXPECT_EQ(choice.engine, chosen.engine);
          EXPECT_EQ(again->workspace_bytes, chosen.workspace_bytes);
        }
        if (again->workspace_bytes > 0) {
          EXPECT_FALSE(plan_of(choice, convolution, target_, again->workspace_bytes - 1));
        }
      }
      std::printf("%-12s  %-13s  %zu choices\n", GetParam().name().c_str(), name_of(kind), choices.size());
    }
  }
}

TEST_P(Plans, AreNotMadeFromOtherChoices) {
  const Convolution convolution = of(first({400, 300}), Kind::kForwardRelu);
  const std::int64_t cap = workspace_cap(convolution);
  const EngineChoice known = list_choices(convolution, target_, cap, Prefer::kSpeed, 1).front();
  EngineChoice knob = known;
  knob.knobs.emplace_back(CUDNN_KNOB_TYPE_COUNTS + 1, 1);
  for (const EngineChoice& other : {EngineChoice{1'000'000, {}}, EngineChoice{-1, {}}, knob}) {
    EXPECT_FALSE(plan_of(other, convolution, target_, cap)) << "engine " << other.engine;
  }
}

// A file may name an engine that rounds more than was asked for.
TEST(PlansOfTheH200, AreNotMadeOfEnginesThatRoundMore) {
  const PlanTarget target = described(std::string(IMPASTO_CUDA_DEVICES) + "/h200.json");
  Convolution convolution{Kind::kForwardRelu, 300, 400, 64, 64, Precision::kTf32};
  const std::int64_t cap = workspace_cap(convolution);
  const EngineChoice rounding = list_choices(convolution, target, cap, Prefer::kSpeed, 1).front();
  EXPECT_TRUE(plan_of(rounding, convolution, target, cap));
  convolution.precision = Precision::kFp32;
  EXPECT_FALSE(plan_of(rounding, convolution, target, cap));
}

TEST(WorkspaceCap, IsOfTheTensorsAsTheyAreStored) {
  const Convolution convolution{Kind::kForward, 4096, 4096, 64, 64, Precision::kFp32};
  constexpr std::int64_t kNumbers = std::int64_t{128} * 4096 * 4096 + 9 * 64 * 64;
  EXPECT_EQ(workspace_cap(convolution), kNumbers * 4 + kNumbers * 4 / 8);
  Convolution halved = convolution;
  halved.precision = Precision::kBf16;
  EXPECT_EQ(workspace_cap(halved), kNumbers * 2 + kNumbers * 2 / 8);
}

// Which tensor cores take no whole words of, and the kernel suite has.
TEST_P(Plans, ForAnyNumberOfChannels) {
  for (const auto& [in, out] : {std::pair(1, 1), std::pair(5, 17), std::pair(33, 5), std::pair(64, 33)}) {
    for (const Kind kind : {Kind::kForward, Kind::kForwardRelu, Kind::kGradient}) {
      const Convolution convolution{kind, 5, 7, in, out, GetParam().precision};
      EXPECT_LE(choose_plan(convolution, target_, workspace_cap(convolution)).workspace_bytes, workspace_cap(convolution));
    }
  }
}

// The copies that engines make of large tensors are what there is to save, where heuristics choose such engines.
TEST_P(Plans, LeanerWhereMemoryIsPreferred) {
  std::int64_t largest = 0;
  std::int64_t largest_of_lean = 0;
  for (const Kind kind : {Kind::kForwardRelu, Kind::kGradient}) {
    const Convolution convolution = of(first({1024, 1024}), kind);
    const std::int64_t cap = workspace_cap(convolution);
    largest = std::max(largest, choose_plan(convolution, target_, cap).workspace_bytes);
    largest_of_lean = std::max(largest_of_lean, choose_plan(convolution, target_, cap, Prefer::kMemory).workspace_bytes);
  }
  // Tensor cores take the tensors as they lie.
  if (GetParam().precision == Precision::kFp32) {
    EXPECT_GT(largest, kSmallWorkspace);
  }
  EXPECT_LE(largest_of_lean, kSmallWorkspace);
}

std::string message_of(const Convolution& convolution, const PlanTarget& target, std::int64_t cap) {
  try {
    choose_plan(convolution, target, cap);
    return "no error";
  } catch (const DeviceError& error) {
    return error.what();
  }
}

TEST_P(Plans, AnErrorNamesTheConvolutionAndTheCap) {
  const std::string message = message_of({Kind::kGradient, 30, 40, 64, 128}, target_, -1);
  EXPECT_NE(message.find("gradient of the 3x3 convolution of 64 to 128 channels of 40x30"), std::string::npos) << message;
  EXPECT_NE(message.find("-1 bytes"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_P(Plans, AnErrorOfCudnnsIsOneLine) {
  const std::string message = message_of({Kind::kForward, 30, 40, 0, 64}, target_, 0);
  EXPECT_EQ(message.find("cuDNN, finishing a forward convolution: CUDNN_STATUS_BAD_PARAM"), 0U) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(PlanTargets, ADescriptionMustBeOne) {
  EXPECT_THROW(PlanTarget(std::string("{}")), DeviceError);
  EXPECT_THROW(PlanTarget(std::string("not JSON")), DeviceError);
}

}  // namespace
}  // namespace impasto::cuda
