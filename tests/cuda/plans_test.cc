// cuDNN has a plan for every convolution of the network, on devices large and small. Runs where there is neither device nor driver: the
// devices are described (devices/README.md).
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "impasto/error.h"
#include "kernels/cuda/dnn_graph.h"

namespace impasto::cuda {
namespace {

using Kind = Convolution::Kind;

struct Picture {
  int width = 0;
  int height = 0;
};

constexpr std::array<Picture, 3> kPictures{{{400, 300}, {512, 512}, {333, 251}}};

// VGG19's, down to conv5_1, but for the first, which is not cuDNN's to do.
struct Layer {
  const char* name;
  int in_channels;
  int out_channels;
  int poolings;  // before it
};

constexpr std::array<Layer, 8> kLayers{{{"conv1_2", 64, 64, 0},
                                        {"conv2_1", 64, 128, 1},
                                        {"conv2_2", 128, 128, 1},
                                        {"conv3_1", 128, 256, 2},
                                        {"conv3_2", 256, 256, 2},
                                        {"conv4_1", 256, 512, 3},
                                        {"conv4_2", 512, 512, 3},
                                        {"conv5_1", 512, 512, 4}}};

Convolution convolution_of(const Layer& layer, Picture picture, Kind kind) {
  return {kind, picture.height >> layer.poolings, picture.width >> layer.poolings, layer.in_channels, layer.out_channels};
}

const char* name_of(Kind kind) { return kind == Kind::kForward ? "forward" : kind == Kind::kForwardRelu ? "forward, ReLU" : "gradient"; }

PlanTarget described(const std::string& device) {
  std::ifstream file(std::string(IMPASTO_CUDA_DEVICES) + "/" + device + ".json");
  return PlanTarget(std::string(std::istreambuf_iterator<char>(file), {}));
}

struct Target {
  std::string device;
  Precision precision = Precision::kFp32;
};

std::string name_of(const Target& target) { return target.device + "_" + to_string(target.precision); }

class Plans : public testing::TestWithParam<Target> {
 protected:
  void print_line(const Layer& layer, const Convolution& convolution, const ChosenPlan& chosen) {
    std::printf("%-9s  %s  %3d -> %3d  %4dx%-4d  %-13s  engine %2d  workspace %10lld\n", name_of(GetParam()).c_str(), layer.name,
                layer.in_channels, layer.out_channels, convolution.w, convolution.h, name_of(convolution.kind),
                static_cast<int>(chosen.engine), static_cast<long long>(chosen.workspace_bytes));
  }

  void expect_plan(const Layer& layer, Picture picture, Kind kind) {
    const Convolution convolution = of_precision(convolution_of(layer, picture, kind));
    SCOPED_TRACE(std::string(layer.name) + ", " + name_of(kind));
    try {
      const std::int64_t cap = workspace_cap(convolution);
      const ChosenPlan chosen = choose_plan(convolution, target_, cap);
      EXPECT_LE(chosen.workspace_bytes, cap);
      print_line(layer, convolution, chosen);
    } catch (const DeviceError& error) {
      ADD_FAILURE() << error.what();
    }
  }

  static Convolution of_precision(Convolution convolution) {
    convolution.precision = GetParam().precision;
    return convolution;
  }

  PlanTarget target_ = described(GetParam().device);
};

INSTANTIATE_TEST_SUITE_P(Described, Plans,
                         testing::Values(Target{"h200", Precision::kFp32}, Target{"h200", Precision::kTf32},
                                         Target{"h200", Precision::kBf16}, Target{"t4", Precision::kFp32}),
                         [](const auto& target) { return name_of(target.param); });

TEST_P(Plans, ForEveryConvolutionOfTheNetwork) {
  for (const Picture picture : kPictures) {
    for (const Layer& layer : kLayers) {
      for (const Kind kind : {Kind::kForwardRelu, Kind::kGradient}) expect_plan(layer, picture, kind);
    }
  }
}

TEST_P(Plans, ForAConvolutionWithoutReLU) { expect_plan(kLayers.back(), kPictures.front(), Kind::kForward); }

// Which tensor cores take no whole words of, and the kernel suite has.
TEST_P(Plans, ForAnyNumberOfChannels) {
  for (const auto& [in, out] : {std::pair(1, 1), std::pair(5, 17), std::pair(33, 5), std::pair(64, 33)}) {
    for (const Kind kind : {Kind::kForward, Kind::kForwardRelu, Kind::kGradient}) {
      expect_plan({"any", in, out, 0}, {7, 5}, kind);
    }
  }
}

// Engine 0 computes anything, slowly.
TEST_P(Plans, ForLargePicturesNotTheEngineOfLastResort) {
  for (const int size : {1024, 4096}) {
    for (const Kind kind : {Kind::kForward, Kind::kForwardRelu, Kind::kGradient}) {
      const Convolution convolution = of_precision(convolution_of(kLayers.front(), {size, size}, kind));
      const ChosenPlan chosen = choose_plan(convolution, target_, workspace_cap(convolution));
      print_line(kLayers.front(), convolution, chosen);
      EXPECT_NE(chosen.engine, 0);
    }
  }
}

TEST_P(Plans, TheSameTwice) {
  const Convolution convolution = of_precision(convolution_of(kLayers.front(), kPictures.front(), Kind::kForwardRelu));
  const ChosenPlan once = choose_plan(convolution, target_, workspace_cap(convolution));
  const ChosenPlan again = choose_plan(convolution, target_, workspace_cap(convolution));
  EXPECT_EQ(once.engine, again.engine);
  EXPECT_EQ(once.workspace_bytes, again.workspace_bytes);
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
  const std::string message = message_of(of_precision({Kind::kGradient, 30, 40, 64, 128}), target_, -1);
  EXPECT_NE(message.find("gradient of the 3x3 convolution of 64 to 128 channels of 40x30"), std::string::npos) << message;
  EXPECT_NE(message.find("-1 bytes"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_P(Plans, AnErrorOfCudnnsIsOneLine) {
  const std::string message = message_of(of_precision({Kind::kForward, 30, 40, 0, 64}), target_, 0);
  EXPECT_EQ(message.find("cuDNN, finishing a forward convolution: CUDNN_STATUS_BAD_PARAM"), 0U) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(PlanTargets, ADescriptionMustBeOne) {
  EXPECT_THROW(PlanTarget(std::string("{}")), DeviceError);
  EXPECT_THROW(PlanTarget(std::string("not JSON")), DeviceError);
}

}  // namespace
}  // namespace impasto::cuda
