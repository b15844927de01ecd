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

// What was measured is kept, and taken by the runs that follow, measuring or not: the quickest of the stand-in's engines has 16 MiB more of
// workspace, which the plan of a dry run shows.
TEST_F(CliDevice, MeasuredPlansAreKept) {
  const auto environment = [&](const std::string& cache) {
    Environment made = kEmulated;
    made["XDG_CACHE_HOME"] = folder_.path(cache);
    return made;
  };
  const auto shallow = [&](const std::string& device, const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = arguments(device, out);
    all.insert(all.end(), {"--style-layers", "relu1_1", "--content-layers", "relu2_1"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto scratch = [&](const std::string& cache) {
    const Outcome dry = run(shallow("cuda", "none.png", {"--dry-run"}), environment(cache));
    EXPECT_EQ(dry.exit_code, 0) << dry.err;
    const std::size_t at = dry.out.find("scratch of convolutions");
    EXPECT_NE(at, std::string::npos) << dry.out;
    return dry.out.substr(at, dry.out.find('\n', at) - at);
  };
  const std::string file = "cache/impasto/cuda-plans.json";
  const std::string guessed = scratch("cache");
  EXPECT_EQ(folder_.files().count("cache"), 0u);
  for (const std::string device : {"auto", "cuda"}) {
    const Outcome tuned = run(shallow(device, "tuned.png", {"--autotune"}), environment("cache"));
    ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
    EXPECT_TRUE(contains(tuned.err, "cuda, tf32, ")) << tuned.err;
    EXPECT_EQ(report("tuned.png")["settings"]["autotune"], true);
    EXPECT_TRUE(report("tuned.png")["notices"].empty()) << report("tuned.png")["notices"];
  }
  const nlohmann::json kept = nlohmann::json::parse(read_file(folder_.path(file)));
  EXPECT_EQ(kept["impasto plans"], "1");
  // Of two convolutions both ways, beside the format.
  EXPECT_EQ(kept.size(), 5u);
  for (const auto& [name, engine] : kept.items()) {
    if (name == "impasto plans") continue;
    EXPECT_TRUE(contains(name, "cuDNN 9.99.0, Emulated device, compute capability 9.0, tf32, ")) << name;
    EXPECT_TRUE(contains(engine, "engine 12, knobs ")) << engine;
  }
  EXPECT_NE(scratch("cache"), guessed);
  EXPECT_EQ(scratch("another"), guessed);
  const Outcome informed = run(shallow("cuda", "informed.png"), environment("cache"));
  ASSERT_EQ(informed.exit_code, 0) << informed.err;
  EXPECT_EQ(report("informed.png")["settings"]["autotune"], false);
  // The stand-in's engines compute the same.
  EXPECT_EQ(read_picture(folder_.path("informed.png")).image.pixels, read_picture(folder_.path("tuned.png")).image.pixels);

  // Damage is said and, once something is measured, mended.
  const std::string whole = read_file(folder_.path(file));
  write_file(folder_.path(file), whole.substr(0, whole.size() / 2));
  for (const bool tunes : {false, true}) {
    const std::vector<std::string> more = tunes ? std::vector<std::string>{"--autotune"} : std::vector<std::string>{};
    const Outcome damaged = run(shallow("cuda", "damaged.png", more), environment("cache"));
    ASSERT_EQ(damaged.exit_code, 0) << damaged.err;
    EXPECT_TRUE(contains(damaged.err, "no measured plans are taken from " + folder_.path(file) + ": it is damaged")) << damaged.err;
    EXPECT_EQ(report("damaged.png")["notices"].size(), 1u);
    EXPECT_EQ(read_file(folder_.path(file)) == whole, tunes);
  }
}

TEST_F(CliDevice, MeasuredPlansThatCannotBeKeptAreANotice) {
  write_file(folder_.path("file"), "x");
  Environment environment = kEmulated;
  environment["XDG_CACHE_HOME"] = folder_.path("file");
  std::vector<std::string> all = arguments("cuda", "out.png");
  all.push_back("--autotune");
  const Outcome outcome = run(all, environment);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "impasto: the measured plans are not kept: cannot write " + folder_.path("file/impasto")))
      << outcome.err;
}

TEST_F(CliDevice, MeasuringIsCudas) {
  struct Case {
    const char* device;
    Environment environment;
    int exit_code;
    const char* named;
  };
  for (const Case& wrong : {Case{"cpu", kEmulated, 2, "autotune is true"}, Case{"reference", {}, 2, "autotune is true"},
                            Case{"auto", with_module(folder_.path("absent.so")), 3, "absent.so"}}) {
    std::vector<std::string> all = arguments(wrong.device, "none.png");
    all.push_back("--autotune");
    const Outcome outcome = run(all, wrong.environment);
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
