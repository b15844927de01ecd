// Whole runs of the command on small pictures.
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "impasto/session.h"
#include "tests/cli/command.h"
#include "tests/cli/weight_file.h"

namespace impasto::test {

namespace {

using Json = nlohmann::json;

struct Scene {
  Folder folder;
  std::string content = folder.path("content.png");
  std::string style = folder.path("style.png");
  std::string out = folder.path("out.png");
  Scene() {
    write_sample(content, 40, 30, 1);
    write_sample(style, 36, 28, 2);
  }
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {content, style, "-o", out, "--weights", averaging_weights(), "--iterations", "4", "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Without --iterations and --quiet.
  std::vector<std::string> bare(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {content, style, "-o", out, "--weights", averaging_weights()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

Json report_of(const Scene& scene, std::vector<std::string> arguments) {
  const std::string path = scene.folder.path("report.json");
  arguments.insert(arguments.end(), {"--report", path});
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return Json::parse(read_file(path));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Text of a PNG's tEXt chunk; empty where there is none.
std::string png_text(const std::string& path, const std::string& key) {
  const std::string bytes = read_file(path);
  const std::string head = "tEXt" + key + std::string(1, '\0');
  const std::size_t at = bytes.find(head);
  if (at == std::string::npos || at < 4) return "";
  std::size_t length = 0;
  for (std::size_t i = at - 4; i < at; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return bytes.substr(at + head.size(), length + 4 - head.size());
}

}  // namespace

TEST(CliRun, WritesThePictureAndSaysWhere) {
  Scene scene;
  const Outcome outcome = run({scene.content, scene.style, "-o", scene.out, "--untrained", "--iterations", "12"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, scene.out + "\n");
  EXPECT_TRUE(contains(outcome.err, "untrained")) << outcome.err;
  const Picture picture = read_picture(scene.out);
  EXPECT_EQ(picture.image.width, 40);
  EXPECT_EQ(picture.image.height, 30);
  // It is not the content any more.
  const Picture content = read_picture(scene.content);
  double change = 0;
  for (std::size_t i = 0; i < picture.image.pixels.size(); ++i) change += std::abs(picture.image.pixels[i] - content.image.pixels[i]);
  EXPECT_GT(change / static_cast<double>(picture.image.pixels.size()), 0.002);
  EXPECT_EQ(scene.folder.files().size(), 3u);
}

TEST(CliRun, QuietSaysNothing) {
  Scene scene;
  const Outcome outcome = run(scene.arguments());
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, scene.out + "\n");
}

TEST(CliRun, SameSeedSameBytesForAnyNumberOfThreads) {
  Scene scene;
  const std::vector<std::string> noise = {"--init", "random", "--seed", "7"};
  ASSERT_EQ(run(scene.arguments(noise)).exit_code, 0);
  const std::string first = read_file(scene.out);
  for (const char* threads : {"1", "2", "3", "7"}) {
    std::vector<std::string> arguments = scene.arguments(noise);
    arguments.insert(arguments.end(), {"--threads", threads});
    ASSERT_EQ(run(arguments).exit_code, 0);
    EXPECT_TRUE(read_file(scene.out) == first) << threads << " threads";
  }
  ASSERT_EQ(run(scene.arguments({"--init", "random", "--seed", "8"})).exit_code, 0);
  EXPECT_FALSE(read_file(scene.out) == first);
}

TEST(CliRun, ReportHoldsSettingsHashesAndEveryEvaluation) {
  Scene scene;
  const Json report =
      report_of(scene, scene.arguments({"--style-layers", "relu1_1,relu2_1", "--style-weight", "3,4", "--tv-weight", "0.5"}));
  EXPECT_EQ(report["output"], scene.out);
  EXPECT_EQ(report["size"], Json({{"width", 40}, {"height", 30}}));
  EXPECT_EQ(report["stop_reason"], "iterations");
  EXPECT_GT(report["peak_memory_bytes"], 1'000'000);
  EXPECT_EQ(report["settings"]["iterations"], 4);
  EXPECT_EQ(report["settings"]["optimizer"], "lbfgs");
  EXPECT_EQ(report["settings"]["style_weights"], Json({{"relu1_1", 3.0}, {"relu2_1", 4.0}}));
  EXPECT_EQ(report["settings"]["tv_weight"], 0.5);
  EXPECT_EQ(report["settings"]["untrained"], false);
  EXPECT_EQ(report["settings"]["size"], "at most 400 wide");
  const Outcome hash = run_program({"/usr/bin/sha256sum", scene.content});
  EXPECT_EQ(report["content"]["sha256"], hash.out.substr(0, 64));
  EXPECT_EQ(report["styles"].size(), 1u);
  EXPECT_EQ(report["styles"][0]["path"], scene.style);
  EXPECT_EQ(report["styles"][0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(report["weights"]["path"], averaging_weights());
  EXPECT_FALSE(report["device"].get<std::string>().empty());

  ASSERT_EQ(report["evaluations"].size(), 4u);
  double elapsed = 0;
  for (int i = 0; i < 4; ++i) {
    const Json& evaluation = report["evaluations"][i];
    EXPECT_EQ(evaluation["index"], i + 1);
    EXPECT_GT(evaluation["seconds"], 0.0);
    EXPECT_GT(evaluation["elapsed"], elapsed);
    elapsed = evaluation["elapsed"];
    EXPECT_GT(evaluation["gradient_rms"], 0.0);
    ASSERT_EQ(evaluation["style"].size(), 2u);
    const double sum = evaluation["content"].get<double>() + evaluation["tv"].get<double>() + evaluation["style"]["relu1_1"].get<double>() +
                       evaluation["style"]["relu2_1"].get<double>();
    EXPECT_NEAR(evaluation["total"].get<double>(), sum, 1e-9 * sum);
  }
  EXPECT_EQ(report["evaluations"][0]["content"], 0.0);
  EXPECT_LT(report["evaluations"][3]["total"], report["evaluations"][0]["total"]);
}

TEST(CliRun, UntrainedNetworkIsNamedAsSuchAndItsStyleWeightsAreReported) {
  Scene scene;
  const Json report = report_of(scene, {scene.content, scene.style, "-o", scene.out, "--untrained", "--iterations", "2", "--quiet"});
  EXPECT_EQ(report["settings"]["untrained"], true);
  EXPECT_EQ(report["weights"]["untrained"], true);
  EXPECT_TRUE(report["weights"]["path"].is_null());
  EXPECT_TRUE(contains(png_text(scene.out, "impasto:network"), "untrained"));
  EXPECT_EQ(png_text(scene.out, "impasto:weights_sha256"), "");
  ASSERT_EQ(report["settings"]["style_weights"].size(), 5u);
  for (const auto& weight : report["settings"]["style_weights"]) EXPECT_GT(weight.get<double>(), 0.0);
}

TEST(CliRun, MetadataTellsHowThePictureWasMade) {
  Scene scene;
  ASSERT_EQ(run(scene.arguments({"--seed", "5", "--threads", "2"})).exit_code, 0);
  EXPECT_TRUE(png_text(scene.out, "Software").starts_with("impasto ")) << png_text(scene.out, "Software");
  EXPECT_EQ(png_text(scene.out, "impasto:network"), "averaging filters made for a test");
  EXPECT_EQ(png_text(scene.out, "impasto:weights_sha256"), run_program({"/usr/bin/sha256sum", averaging_weights()}).out.substr(0, 64));
  const Json settings = Json::parse(png_text(scene.out, "impasto:settings"));
  EXPECT_EQ(settings["seed"], 5);
  EXPECT_EQ(settings["iterations"], 4);
  EXPECT_FALSE(settings.contains("threads"));
  EXPECT_EQ(png_text(scene.out, "impasto:content_sha256"), run_program({"/usr/bin/sha256sum", scene.content}).out.substr(0, 64));
  EXPECT_EQ(png_text(scene.out, "impasto:evaluations"), "4");
}

TEST(CliRun, ZeroIterationsEvaluatesOnceAndPrintsTheLosses) {
  Scene scene;
  const std::string report_path = scene.folder.path("report.json");
  const Outcome outcome = run({scene.content, scene.style, "--weights", averaging_weights(), "--iterations", "0", "--report", report_path,
                               "--style-layers", "relu1_1,relu3_1"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = Json::parse(read_file(report_path));
  ASSERT_EQ(report["evaluations"].size(), 1u);
  EXPECT_TRUE(report["output"].is_null());
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 6u) << outcome.out;
  EXPECT_TRUE(lines[0].starts_with("total "));
  EXPECT_EQ(std::stod(lines[0].substr(6)), report["evaluations"][0]["total"].get<double>());
  EXPECT_EQ(lines[1], "content 0");
  EXPECT_TRUE(lines[2].starts_with("style relu1_1 "));
  EXPECT_TRUE(lines[3].starts_with("style relu3_1 "));
  EXPECT_EQ(lines[4], "tv 0");
  EXPECT_TRUE(lines[5].starts_with("gradient_rms "));
  EXPECT_FALSE(std::filesystem::exists(scene.out));

  // With -o the picture as it started is written as well.
  const Outcome with_output = run(scene.arguments({"--init", scene.style}));
  ASSERT_EQ(with_output.exit_code, 0);
  ASSERT_EQ(run({scene.content, scene.style, "--weights", averaging_weights(), "--iterations", "0", "-o", scene.out, "--quiet"}).exit_code,
            0);
  const Picture start = read_picture(scene.out);
  const Picture content = read_picture(scene.content);
  for (std::size_t i = 0; i < start.image.pixels.size(); ++i) ASSERT_NEAR(start.image.pixels[i], content.image.pixels[i], 0.51 / 255);
}

TEST(CliRun, DryRunCreatesNothing) {
  Scene scene;
  const auto before = scene.folder.files();
  const Outcome outcome =
      run(scene.bare({"--dry-run", "--report", scene.folder.path("report.json"), "--save-every", "2", "--iterations", "77"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {"iterations: 77", "optimizer: lbfgs", "40x30 -> 40x30", "memory:", "L-BFGS history: ", "network weights",
                           "total, at most: ", "time: about ", "77 evaluations"}) {
    EXPECT_TRUE(contains(outcome.out, part)) << part << " in\n" << outcome.out;
  }
  EXPECT_TRUE(scene.folder.files() == before);
  EXPECT_EQ(run({scene.content, scene.style, "--weights", averaging_weights(), "--dry-run"}).exit_code, 0);
}

TEST(CliRun, SaveEveryWritesNumberedPictures) {
  Scene scene;
  ASSERT_EQ(run(scene.arguments({"--save-every", "2"})).exit_code, 0);
  const auto files = scene.folder.files();
  EXPECT_EQ(files.size(), 5u);
  ASSERT_TRUE(files.count("out-0002.png"));
  ASSERT_TRUE(files.count("out-0004.png"));
  EXPECT_EQ(read_picture(scene.folder.path("out-0002.png")).image.width, 40);
  EXPECT_EQ(png_text(scene.folder.path("out-0002.png"), "impasto:evaluations"), "2");
  // The last one is the final picture.
  EXPECT_EQ(read_picture(scene.folder.path("out-0004.png")).image.pixels, read_picture(scene.out).image.pixels);
}

TEST(CliRun, AlphaOfTheContentIsPutBack) {
  Scene scene;
  Image image = write_sample(scene.content, 40, 30, 1);
  std::vector<float> alpha(40 * 30, 1.0f);
  for (int y = 0; y < 30; ++y) std::fill_n(alpha.begin() + 40 * y, 20, 0.0f);
  write_picture(scene.content, {image, alpha});
  ASSERT_EQ(run(scene.arguments()).exit_code, 0);
  EXPECT_EQ(read_picture(scene.out).alpha, alpha);

  // Resized with the picture.
  ASSERT_EQ(run(scene.arguments({"--size", "64"})).exit_code, 0);
  const Picture larger = read_picture(scene.out);
  ASSERT_EQ(larger.alpha.size(), 64u * 48u);
  EXPECT_EQ(larger.alpha[0], 0.0f);
  EXPECT_EQ(larger.alpha[63], 1.0f);

  // A format without transparency takes the picture as it is.
  ASSERT_EQ(run({scene.content, scene.style, "-o", scene.folder.path("out.jpg"), "--weights", averaging_weights(), "--iterations", "2",
                 "--quiet"})
                .exit_code,
            0);
  EXPECT_TRUE(read_picture(scene.folder.path("out.jpg")).alpha.empty());
}

TEST(CliRun, SizesFollowTheirRules) {
  Scene scene;
  write_sample(scene.content, 90, 60, 1);
  const auto size_with = [&](const std::vector<std::string>& more) {
    EXPECT_EQ(run(scene.arguments(more)).exit_code, 0);
    const Picture picture = read_picture(scene.out);
    return std::make_pair(picture.image.width, picture.image.height);
  };
  EXPECT_EQ(size_with({}), std::make_pair(90, 60));
  EXPECT_EQ(size_with({"--max-width", "45"}), std::make_pair(45, 30));
  EXPECT_EQ(size_with({"--max-width", "0"}), std::make_pair(90, 60));
  EXPECT_EQ(size_with({"--max-width", "200"}), std::make_pair(90, 60));
  EXPECT_EQ(size_with({"--size", "120"}), std::make_pair(120, 80));
  EXPECT_EQ(size_with({"--short-side", "40", "--filter", "bilinear-aliased"}), std::make_pair(60, 40));
}

TEST(CliRun, SixteenBitsAndOtherFormats) {
  Scene scene;
  ASSERT_EQ(run(scene.arguments({"--bit-depth", "16"})).exit_code, 0);
  const Picture deep = read_picture(scene.out);
  const auto between_grey_levels = [](float value) { return std::abs(value * 255 - std::round(value * 255)) > 0.01f; };
  EXPECT_GT(std::count_if(deep.image.pixels.begin(), deep.image.pixels.end(), between_grey_levels), 1000);
  for (const char* name : {"out.jpg", "out.tif", "out.webp"}) {
    const std::string path = scene.folder.path(name);
    const Outcome outcome =
        run({scene.content, scene.style, "-o", path, "--weights", averaging_weights(), "--iterations", "2", "--quiet", "--quality", "80"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(read_picture(path).image.height, 30);
  }
}

TEST(CliRun, EveryOptionOfTheLossesAndTheOptimiserReachesTheRun) {
  Scene scene;
  const Json base = report_of(scene, scene.arguments());
  const double base_total = base["evaluations"][3]["total"];
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"--pooling", "average"}, "pooling"},
      {{"--content-weight", "7"}, "content_weight"},
      {{"--style-weight", "11"}, "style_weights"},
      {{"--content-layers", "conv3_1,relu4_2"}, "content_layers"},
      {{"--style-layers", "relu2_1"}, "style_weights"},
      {{"--tv-weight", "3"}, "tv_weight"},
      {{"--optimizer", "lbfgs-torch"}, "optimizer"},
      {{"--optimizer", "lbfgs-wolfe"}, "optimizer"},
      {{"--optimizer", "adam"}, "optimizer"},
      {{"--optimizer", "adam", "--learning-rate", "3"}, "learning_rate"},
      {{"--init", "random"}, "init"},
      {{"--init", scene.style}, "init"},
      {{"--device", "reference"}, "device"},
      {{"--device", "reference-float"}, "device"},
      {{"--tile", "2"}, "tile"},
      {{"--tile", "4"}, "tile"},
      {{"--exact"}, "tile"},
      {{"--history", "5"}, "history"},
  };
  for (const auto& [more, setting] : cases) {
    SCOPED_TRACE(testing::PrintToString(more));
    const Json report = report_of(scene, scene.arguments(more));
    EXPECT_NE(report["settings"][setting], base["settings"][setting]);
    const double total = report["evaluations"][3]["total"];
    EXPECT_TRUE(std::isfinite(total));
    // Four evaluations use fewer than five pairs of history; so small a picture is convolved by F(2) anyway.
    if (more[0] == "--history" || more == std::vector<std::string>{"--tile", "2"}) {
      EXPECT_EQ(total, base_total);
    } else {
      EXPECT_NE(total, base_total);
    }
  }
}

TEST(CliRun, EveryInstructionSetOfThisMachineRuns) {
  Scene scene;
  for (const std::string& isa : cpu_isas()) {
    const Json report = report_of(scene, scene.arguments({"--cpu-isa", isa, "--device", "cpu"}));
    EXPECT_TRUE(contains(report["device"].get<std::string>(), isa)) << report["device"] << " lacks " << isa;
  }
}

TEST(CliRun, StyleBlendSharesTheTargets) {
  Scene scene;
  const std::string second = scene.folder.path("second.png");
  write_sample(second, 30, 44, 9);
  const auto first_loss = [&](const std::string& blend) {
    const std::string report = scene.folder.path("r.json");
    const Outcome outcome = run({scene.content, scene.style, second, "--weights", averaging_weights(), "--iterations", "0", "--style-blend",
                                 blend, "--report", report, "--style-weight", "1"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(read_file(report));
  };
  const Json both = first_loss("1,1");
  const Json only_first = first_loss("2,0");
  EXPECT_EQ(both["settings"]["style_blend"], Json({0.5, 0.5}));
  EXPECT_EQ(only_first["settings"]["style_blend"], Json({1.0, 0.0}));
  const std::string report = scene.folder.path("r.json");
  ASSERT_EQ(
      run({scene.content, scene.style, "--weights", averaging_weights(), "--iterations", "0", "--report", report, "--style-weight", "1"})
          .exit_code,
      0);
  const double single = Json::parse(read_file(report))["evaluations"][0]["total"];
  EXPECT_NEAR(only_first["evaluations"][0]["total"].get<double>(), single, 1e-6 * single);
  EXPECT_NE(both["evaluations"][0]["total"].get<double>(), single);
}

TEST(CliRun, ProgressInItsKinds) {
  Scene scene;
  const auto progress = [&](const char* kind) { return run(scene.bare({"--iterations", "12", "--progress", kind})).err; };
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const std::string plain = progress("plain");
  EXPECT_EQ(count(plain, "evaluation "), 3) << plain;  // 1, 10, 12
  EXPECT_TRUE(contains(plain, "evaluation    1/12  loss "));
  EXPECT_TRUE(contains(plain, "ETA "));
  EXPECT_TRUE(contains(progress("auto"), "evaluation    1/12")) << "a pipe is no terminal";
  const std::string bar = progress("bar");
  EXPECT_TRUE(contains(bar, "\r[")) << bar;
  EXPECT_TRUE(contains(bar, "12/12")) << bar;
  EXPECT_FALSE(contains(progress("none"), "evaluation  "));

  int objects = 0;
  for (const std::string& line : lines_of(progress("json"))) {
    if (!line.starts_with("{")) continue;
    const Json json = Json::parse(line);
    ++objects;
    EXPECT_EQ(json["index"], objects);
    EXPECT_EQ(json["iterations"], 12);
    EXPECT_GE(json["remaining"], 0.0);
    EXPECT_EQ(json["style"].size(), 5u);
  }
  EXPECT_EQ(objects, 12);
}

TEST(CliRun, VersionAndHelp) {
  const Outcome version_outcome = run({"--version"});
  EXPECT_EQ(version_outcome.exit_code, 0);
  EXPECT_EQ(version_outcome.err, "");
  for (const std::string& part :
       {"impasto " + version(), std::string("compiler: "), std::string("cpu instructions in use: " + cpu_isas().front()),
        image_io_version(), std::string("HDF5 1."), std::string("CLI11 "), std::string("device: cpu"), std::string("device: cuda")}) {
    EXPECT_TRUE(contains(version_outcome.out, part)) << part << " in\n" << version_outcome.out;
  }
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* part :
       {"--preset",       "--max-width",      "--size",         "--iterations", "--optimizer",  "--history",  "--content-weight",
        "--style-weight", "--content-layers", "--style-layers", "--pooling",    "--init",       "--seed",     "--tv-weight",
        "--weights",      "--device",         "--threads",      "--report",     "--save-every", "--progress", "--dry-run",
        "--version",      "--untrained",      "--style-blend",  "--cpu-isa",    "--exact",      "--tile",     "--bit-depth",
        "--quality",      "--max-pixels",     "--quiet"}) {
    EXPECT_TRUE(contains(help.out, part)) << part;
  }
}

// --- weights ---------------------------------------------------------------------------------------------------------------------------

TEST(CliWeights, AreTakenFromOptionEnvironmentAndDataHome) {
  Scene scene;
  const std::string named = scene.folder.path("named.h5");
  const std::string in_environment = scene.folder.path("environment.h5");
  const std::string home = scene.folder.path("data");
  std::filesystem::create_directories(home + "/impasto");
  const std::string found = home + "/impasto/vgg19-torchvision.h5";
  write_weight_file(named);
  write_weight_file(in_environment);
  write_weight_file(found, {.input_scale = 1});
  const std::string report = scene.folder.path("report.json");
  const auto used = [&](std::vector<std::string> more, const Environment& environment) {
    std::vector<std::string> arguments = {scene.content, scene.style, "--iterations", "0", "--report", report, "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments, environment);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(read_file(report));
  };
  EXPECT_EQ(used({"--weights", named}, {{"IMPASTO_WEIGHTS", in_environment}, {"XDG_DATA_HOME", home}})["weights"]["path"], named);
  EXPECT_EQ(used({}, {{"IMPASTO_WEIGHTS", in_environment}, {"XDG_DATA_HOME", home}})["weights"]["path"], in_environment);
  const Json json = used({}, {{"XDG_DATA_HOME", home}});
  EXPECT_EQ(json["weights"]["path"], found);
  EXPECT_EQ(json["weights"]["sha256"], run_program({"/usr/bin/sha256sum", found}).out.substr(0, 64));
  EXPECT_EQ(json["weights"]["source"], "averaging filters made for a test");
  EXPECT_EQ(json["weights"]["untrained"], false);
  // Oxford's network comes first.
  const std::string oxford = home + "/impasto/vgg19-oxford.h5";
  write_weight_file(oxford);
  const Json preferred = used({}, {{"XDG_DATA_HOME", home}});
  EXPECT_EQ(preferred["weights"]["path"], oxford);
  EXPECT_EQ(preferred["settings"]["style_weights"]["relu3_1"], 1000.0);
}

TEST(CliWeights, GatysPresetSetsThePublishedSettingAndOptionsOverrideIt) {
  Scene scene;
  const std::string weights = scene.folder.path("oxford.h5");
  write_weight_file(weights);
  const std::string report_path = scene.folder.path("report.json");
  const Outcome dry = run({scene.content, scene.style, "--preset", "gatys", "--weights", weights, "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  for (const char* part : {"size: shorter side 512", "filter: bilinear-aliased", "iterations: 500", "optimizer: lbfgs-torch",
                           "history: 100", "content_weight: 1", "\"relu4_1\":1000.0", "init: content", "40x30 -> 682x512"}) {
    EXPECT_TRUE(contains(dry.out, part)) << part << " in\n" << dry.out;
  }
  const Outcome outcome = run({scene.content, scene.style, "--preset", "gatys", "--weights", weights, "--short-side", "32", "--iterations",
                               "55", "--report", report_path, "-o", scene.out, "--quiet"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = Json::parse(read_file(report_path));
  EXPECT_EQ(report["settings"]["preset"], "gatys");
  EXPECT_EQ(report["settings"]["iterations"], 55);
  EXPECT_EQ(report["settings"]["optimizer"], "lbfgs-torch");
  EXPECT_EQ(report["size"]["height"], 32);
  EXPECT_TRUE(contains(outcome.out, "published (Tuebingen + Starry Night)")) << outcome.out;
  // The run may have converged before evaluation 49, which is the mark "50".
  EXPECT_EQ(contains(outcome.out, "1388532.5"), report["evaluations"].size() >= 49) << outcome.out;
  EXPECT_FALSE(contains(outcome.out, "707860.8")) << outcome.out;
  EXPECT_EQ(lines_of(outcome.out).back(), scene.out);
}

// --- signals ---------------------------------------------------------------------------------------------------------------------------

class Interrupted : public testing::TestWithParam<int> {};

TEST_P(Interrupted, SavesTheBestPictureSoFar) {
  Scene scene;
  const std::string report_path = scene.folder.path("report.json");
  Command command([&] {
    std::vector<std::string> words = scene.bare({"--iterations", "100000", "--progress", "plain", "--report", report_path});
    words.insert(words.begin(), command_path());
    return words;
  }());
  ASSERT_TRUE(command.wait_for("evaluation   10/100000"));
  command.send(GetParam());
  const Outcome outcome = command.finish();
  EXPECT_EQ(outcome.exit_code, 128 + GetParam()) << outcome.err;
  EXPECT_EQ(outcome.out, scene.out + "\n");
  EXPECT_EQ(read_picture(scene.out).image.width, 40);
  const Json report = Json::parse(read_file(report_path));
  EXPECT_EQ(report["stop_reason"], "cancelled");
  EXPECT_GE(report["evaluations"].size(), 10u);
  EXPECT_EQ(scene.folder.files().size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(Cli, Interrupted, testing::Values(SIGINT, SIGTERM),
                         [](const auto& parameter) { return std::string(parameter.param == SIGINT ? "CtrlC" : "Sigterm"); });

// One evaluation of this picture in double takes seconds: both signals arrive before it is done.
TEST(CliSignals, BeforeTheFirstEvaluationNothingIsWrittenAndTheSecondEndsAtOnce) {
  Scene scene;
  write_sample(scene.content, 300, 200, 1);
  const auto before = scene.folder.files();
  std::vector<std::string> words = scene.bare({"--device", "reference", "--progress", "plain"});
  words.insert(words.begin(), command_path());
  Command command(words);
  ASSERT_TRUE(command.wait_for("impasto: content"));
  command.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  command.send(SIGINT);
  const Outcome outcome = command.finish();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(scene.folder.files() == before);
}

TEST(CliSignals, OneBeforeTheFirstEvaluationWritesNothing) {
  Scene scene;
  write_sample(scene.content, 120, 80, 1);
  const auto before = scene.folder.files();
  std::vector<std::string> words = scene.bare({"--device", "reference", "--progress", "none"});
  words.insert(words.begin(), command_path());
  Command command(words);
  ASSERT_TRUE(command.wait_for("impasto: content"));
  command.send(SIGINT);
  const Outcome outcome = command.finish();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, "nothing was written")) << outcome.err;
  EXPECT_TRUE(scene.folder.files() == before);
}

TEST(CliSignals, ClosedStderrDoesNotEndTheRun) {
  Scene scene;
  const Outcome outcome = run_program({"/bin/sh", "-c",
                                       "( '" + command_path() + "' '" + scene.content + "' '" + scene.style + "' -o '" + scene.out +
                                           "' --weights '" + averaging_weights() + "' --iterations 30 --progress json; echo $? ) 2>&1 >'" +
                                           scene.folder.path("code") + "' | head -c 1"});
  EXPECT_TRUE(contains(read_file(scene.folder.path("code")), "\n0\n")) << outcome.out;
  EXPECT_TRUE(std::filesystem::exists(scene.out));
}

}  // namespace impasto::test
