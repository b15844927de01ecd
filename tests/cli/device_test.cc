// What the command computes on: the CUDA module on the emulation of tests/emulation, and every reason why there may be none.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "impasto/image_io.h"
#include "tests/cli/command.h"

namespace impasto::test {
namespace {

const Environment kEmulated = {{"IMPASTO_CUDA_MODULE", IMPASTO_EMULATED_MODULE}};

Environment emulated_with_memory(std::int64_t bytes) {
  return {{"IMPASTO_CUDA_MODULE", IMPASTO_EMULATED_MODULE}, {"IMPASTO_EMULATED_MEMORY", std::to_string(bytes)}};
}

Environment with_module(const std::string& path) { return {{"IMPASTO_CUDA_MODULE", path}}; }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class CliDevice : public testing::Test {
 protected:
  std::vector<std::string> arguments(const std::string& device, const std::string& out, const std::string& precision = "auto") {
    return {content_,      style_,    "-o",       folder_.path(out),          "--untrained", "--iterations", "3", "--device", device,
            "--precision", precision, "--report", folder_.path(out + ".json")};
  }
  nlohmann::json report(const std::string& out) { return nlohmann::json::parse(read_file(folder_.path(out + ".json"))); }

  Folder folder_;
  const std::string content_ = folder_.path("content.png");
  const std::string style_ = folder_.path("style.png");
  const Image drawn_[2] = {write_sample(content_, 24, 18, 1), write_sample(style_, 20, 22, 2)};
};

TEST_F(CliDevice, CudaAgreesWithTheCpu) {
  const Outcome cpu = run(arguments("cpu", "cpu.png"));
  ASSERT_EQ(cpu.exit_code, 0) << cpu.err;
  for (const std::string device : {"cuda", "cuda:0", "auto"}) {
    const Outcome cuda = run(arguments(device, "cuda.png", "fp32"), kEmulated);
    ASSERT_EQ(cuda.exit_code, 0) << cuda.err;
    EXPECT_TRUE(contains(cuda.err, "cuda, fp32, ")) << cuda.err;
    const nlohmann::json expected = report("cpu.png");
    const nlohmann::json actual = report("cuda.png");
    EXPECT_TRUE(contains(actual["device"], "cuda, fp32, ")) << actual["device"];
    ASSERT_EQ(actual["evaluations"].size(), 3u);
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(actual["evaluations"][i]["total"].get<double>() / expected["evaluations"][i]["total"].get<double>(), 1,
                  i == 0 ? 1e-5 : 1e-3)
          << i;
    }
  }
}

TEST_F(CliDevice, TooLittleDeviceMemoryNamesAWidthThatFits) {
  write_sample(content_, 240, 180, 1);
  const Environment environment = emulated_with_memory(std::int64_t{90} << 20);
  const Outcome outcome = run(arguments("cuda", "none.png"), environment);
  EXPECT_EQ(outcome.exit_code, 6) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "impasto: out of device memory: ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " of 90 MiB are free; with pictures at most ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " (--max-width ") && contains(outcome.err, ", --history)")) << outcome.err;
  EXPECT_EQ(folder_.files().count("none.png"), 0u);
  std::vector<std::string> dry = arguments("cuda", "none.png");
  dry.push_back("--dry-run");
  const Outcome plan = run(dry, environment);
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_TRUE(contains(plan.out, "L-BFGS history: ")) << plan.out;
}

// Where the leaner plans have room and the quicker ones have not is a narrow place.
TEST_F(CliDevice, LeanerPlansAreNoted) {
  write_sample(content_, 64, 48, 1);
  std::int64_t refused = std::int64_t{50} << 20;
  std::int64_t accepted = std::int64_t{90} << 20;
  std::vector<std::string> once = arguments("cuda", "lean.png");
  once.insert(once.end(), {"--history", "1", "--style-layers", "relu1_1", "--content-layers", "relu2_1"});
  Outcome outcome;
  do {
    const std::int64_t middle = refused + (accepted - refused) / 2;
    outcome = run(once, emulated_with_memory(middle));
    ASSERT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 6) << outcome.err;
    (outcome.exit_code == 0 ? accepted : refused) = middle;
    ASSERT_GT(accepted - refused, 1024);
  } while (!contains(outcome.err, "convolutions that need less memory were taken"));
  EXPECT_EQ(outcome.exit_code, 0);
  const nlohmann::json json = report("lean.png");
  ASSERT_EQ(json["notices"].size(), 1u);
  EXPECT_TRUE(contains(outcome.err, "impasto: " + json["notices"][0].get<std::string>() + "\n")) << outcome.err;
}

TEST_F(CliDevice, PrecisionIsTakenAndNamed) {
  for (const std::string device : {"cuda", "auto"}) {
    for (const auto& [asked, taken] :
         {std::pair("auto", "tf32"), std::pair("tf32", "tf32"), std::pair("fp16", "fp16"), std::pair("bf16", "bf16")}) {
      const Outcome cuda = run(arguments(device, "cuda.png", asked), kEmulated);
      ASSERT_EQ(cuda.exit_code, 0) << cuda.err;
      EXPECT_TRUE(contains(cuda.err, std::string("cuda, ") + taken + ", ")) << cuda.err;
      const nlohmann::json actual = report("cuda.png");
      EXPECT_TRUE(contains(actual["device"], std::string("cuda, ") + taken + ", ")) << actual["device"];
      EXPECT_EQ(actual["settings"]["precision"], asked);
    }
  }
  const Outcome cpu = run(arguments("cpu", "cpu.png", "fp32"));
  EXPECT_EQ(cpu.exit_code, 0) << cpu.err;
}

// Never another precision than the one asked for, nor silently the CPU.
TEST_F(CliDevice, PrecisionThatCannotBeHadIsAnError) {
  struct Case {
    const char* device;
    const char* precision;
    Environment environment;
    int exit_code;
    const char* named;
  };
  for (const Case& wrong :
       {Case{"cpu", "tf32", kEmulated, 2, "accepted without CUDA: auto, fp32"},
        Case{"reference", "fp32", {}, 2, "accepted without CUDA: auto"},
        Case{"auto", "tf32", with_module(folder_.path("absent.so")), 3, "absent.so"},
        Case{"auto", "fp16", with_module(folder_.path("absent.so")), 3, "absent.so"},
        Case{"cpu", "fp16", kEmulated, 2, "accepted without CUDA: auto, fp32"}, Case{"cuda", "fp64", kEmulated, 2, "fp64"}}) {
    const Outcome outcome = run(arguments(wrong.device, "none.png", wrong.precision), wrong.environment);
    EXPECT_EQ(outcome.exit_code, wrong.exit_code) << outcome.err;
    EXPECT_TRUE(is_one_error_line(outcome.err)) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, wrong.named)) << outcome.err;
  }
  EXPECT_EQ(folder_.files().count("none.png"), 0u);
}

TEST_F(CliDevice, DevicesAreListed) {
  const Outcome outcome = run({"devices"}, kEmulated);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.rfind("cpu, float32, ", 0), 0u) << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "\ncuda:0: ") && contains(outcome.out, ", precision tf32, fp32, fp16, bf16\n")) << outcome.out;
  EXPECT_FALSE(contains(outcome.out, "cuda:1")) << outcome.out;
}

TEST_F(CliDevice, WhatCannotBeHadIsNamed) {
  write_file(folder_.path("text.so"), "not a module");
  struct Case {
    std::string module;
    std::string reason;
  };
  for (const Case& wrong : std::vector<Case>{{folder_.path("absent.so"), "absent.so"},
                                             {folder_.path("text.so"), "text.so"},
                                             {IMPASTO_FOREIGN_MODULE, "0.0.0, some other compiler"}}) {
    const Outcome cuda = run(arguments("cuda", "none.png"), with_module(wrong.module));
    EXPECT_EQ(cuda.exit_code, 3) << cuda.err;
    EXPECT_TRUE(is_one_error_line(cuda.err)) << cuda.err;
    EXPECT_TRUE(contains(cuda.err, wrong.reason)) << cuda.err;
    const Outcome automatic = run(arguments("auto", "auto.png"), with_module(wrong.module));
    EXPECT_EQ(automatic.exit_code, 0) << automatic.err;
    EXPECT_TRUE(contains(automatic.err, "cpu, float32, ")) << automatic.err;
    const Outcome list = run({"devices"}, with_module(wrong.module));
    EXPECT_EQ(list.exit_code, 0);
    EXPECT_TRUE(contains(list.out, "cuda: none: ") && contains(list.out, wrong.reason)) << list.out;
  }
  const Outcome beyond = run(arguments("cuda:7", "none.png"), kEmulated);
  EXPECT_EQ(beyond.exit_code, 3);
  EXPECT_TRUE(contains(beyond.err, "cuda:7")) << beyond.err;
  EXPECT_EQ(folder_.files().count("none.png"), 0u);
}

}  // namespace
}  // namespace impasto::test
