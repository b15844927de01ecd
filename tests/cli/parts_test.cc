// The command's pieces, called directly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/cli/command.h"
#include "tools/impasto/arguments.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/files.h"
#include "tools/impasto/memory.h"
#include "tools/impasto/numbers.h"
#include "tools/impasto/progress.h"
#include "tools/impasto/published.h"
#include "tools/impasto/report.h"
#include "tools/impasto/settings.h"
#include "tools/impasto/sizing.h"

namespace impasto::command {

namespace {

using test::Folder;

Settings parse(const std::vector<const char*>& words) {
  std::vector<const char*> argv = {"impasto", "a.png", "b.png", "-o", "c.png"};
  argv.insert(argv.end(), words.begin(), words.end());
  return parse_arguments(static_cast<int>(argv.size()), argv.data()).settings;
}

Evaluation evaluation(int index, double total, double elapsed) {
  Evaluation result;
  result.index = index;
  result.seconds = 0.5;
  result.elapsed = elapsed;
  result.losses = {total, 1.0, 0.0, {2.0, 3.0}};
  result.gradient_rms = 0.25;
  return result;
}

}  // namespace

TEST(Sizing, MaxWidthNeverEnlarges) {
  const Sizing sizing;
  EXPECT_EQ(working_size({1024, 768}, sizing), (Size{400, 300}));
  EXPECT_EQ(working_size({400, 900}, sizing), (Size{400, 900}));
  EXPECT_EQ(working_size({401, 1}, sizing), (Size{400, 1}));
  EXPECT_EQ(working_size({970, 768}, sizing), (Size{400, 317}));  // 316.7
  EXPECT_EQ(working_size({100000, 3}, sizing), (Size{400, 1}));
  EXPECT_EQ(working_size({5000, 70}, {Sizing::Rule::kMaxWidth, 0}), (Size{5000, 70}));
}

TEST(Sizing, LongerSideIsExact) {
  EXPECT_EQ(working_size({1024, 768}, {Sizing::Rule::kLongerSide, 512}), (Size{512, 384}));
  EXPECT_EQ(working_size({768, 1024}, {Sizing::Rule::kLongerSide, 512}), (Size{384, 512}));
  EXPECT_EQ(working_size({100, 100}, {Sizing::Rule::kLongerSide, 512}), (Size{512, 512}));
}

// As torchvision.transforms.Resize(512): int(512 * 1024 / 768) = 682.
TEST(Sizing, ShorterSideCutsOffTheOther) {
  EXPECT_EQ(working_size({1024, 768}, {Sizing::Rule::kShorterSide, 512}), (Size{682, 512}));
  EXPECT_EQ(working_size({768, 1024}, {Sizing::Rule::kShorterSide, 512}), (Size{512, 682}));
  EXPECT_EQ(working_size({970, 768}, {Sizing::Rule::kShorterSide, 512}), (Size{646, 512}));  // 646.67
}

TEST(Sizing, AbsurdSizesAreRefused) { EXPECT_THROW(working_size({1, 30000}, {Sizing::Rule::kShorterSide, 512}), Failure); }

TEST(Sizing, AlphaStaysWithinItsRange) {
  Picture picture{{40, 30, std::vector<float>(40 * 30 * 3, 0.5f)}, std::vector<float>(40 * 30, 1.0f)};
  for (std::size_t i = 0; i < picture.alpha.size(); i += 2) picture.alpha[i] = 0.0f;
  const Picture resized = resize_picture(picture, {23, 31}, {});
  ASSERT_EQ(resized.alpha.size(), 23u * 31u);
  for (const float value : resized.alpha) {
    EXPECT_GE(value, 0.0f);
    EXPECT_LE(value, 1.0f);
  }
}

TEST(Numbers, OnlyWholeFiniteTextsAreRead) {
  EXPECT_EQ(parse_number("x", "1e3"), 1000.0);
  EXPECT_EQ(parse_number("x", "0"), 0.0);
  for (const char* bad : {"", " 1", "1 ", "+1", "-0", "-1", "nan", "inf", "0x10", "1,5", "1e400"})
    EXPECT_THROW(parse_number("x", bad), Failure) << bad;
  EXPECT_EQ(parse_integer("x", "007", 0, 10), 7);
  for (const char* bad : {"", "1.0", "11", "-1", "1e1", "0x1"}) EXPECT_THROW(parse_integer("x", bad, 0, 10), Failure) << bad;
  EXPECT_EQ(parse_seed("x", "18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW(parse_seed("x", "18446744073709551616"), Failure);
  EXPECT_EQ(parse_names("x", "a,b"), (std::vector<std::string>{"a", "b"}));
  for (const char* bad : {"", ",", "a,", ",a", "a,,b"}) EXPECT_THROW(parse_names("x", bad), Failure) << bad;
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(Arguments, OptionsOverrideThePresetWhereverTheyStand) {
  const Settings plain = parse({});
  EXPECT_EQ(plain.sizing.rule, Sizing::Rule::kMaxWidth);
  EXPECT_EQ(plain.sizing.pixels, 400);
  EXPECT_EQ(plain.style.iterations, 300);
  EXPECT_TRUE(plain.style.style_weights.empty());

  const Settings gatys = parse({"--preset", "gatys"});
  EXPECT_EQ(gatys.sizing.rule, Sizing::Rule::kShorterSide);
  EXPECT_EQ(gatys.sizing.pixels, 512);
  EXPECT_EQ(gatys.sizing.filter, Filter::kBilinear);
  EXPECT_FALSE(gatys.sizing.antialias);
  EXPECT_EQ(gatys.style.optimizer, Optimizer::kLbfgsTorch);
  EXPECT_EQ(gatys.style.iterations, 500);
  EXPECT_EQ(gatys.style.style_weights, std::vector<double>(5, 1000.0));

  for (const Settings& mixed :
       {parse({"--iterations", "7", "--max-width", "64", "--preset", "gatys", "--style-layers", "relu1_1,relu2_1"}),
        parse({"--preset", "gatys", "--style-layers", "relu1_1,relu2_1", "--max-width", "64", "--iterations", "7"})}) {
    EXPECT_EQ(mixed.style.iterations, 7);
    EXPECT_EQ(mixed.sizing.rule, Sizing::Rule::kMaxWidth);
    EXPECT_EQ(mixed.sizing.pixels, 64);
    EXPECT_FALSE(mixed.sizing.antialias);
    EXPECT_EQ(mixed.style.optimizer, Optimizer::kLbfgsTorch);
    EXPECT_EQ(mixed.style.style_weights, std::vector<double>{1000.0});
  }
}

TEST(Arguments, FilesNamedLikeKeywordsNeedAPath) {
  EXPECT_EQ(parse({"--init", "random"}).style.init, Init::kRandom);
  EXPECT_EQ(parse({"--init", "./random"}).style.init, Init::kPicture);
  EXPECT_EQ(parse({"--init", "./random"}).init_picture, "./random");
}

TEST(Settings, PlansAreKeptInTheUsersCacheFolder) {
  const auto with = [](const char* name, const char* value) { value == nullptr ? unsetenv(name) : setenv(name, value, 1); };
  const auto kept = [](const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::optional<std::string>() : std::string(value);
  };
  const std::optional<std::string> home = kept("HOME");
  const std::optional<std::string> cache = kept("XDG_CACHE_HOME");
  with("HOME", "/home/me");
  with("XDG_CACHE_HOME", "/cache");
  EXPECT_EQ(plan_cache(), "/cache/impasto/cuda-plans.json");
  for (const char* const other : {static_cast<const char*>(nullptr), "", "not/absolute"}) {
    with("XDG_CACHE_HOME", other);
    EXPECT_EQ(plan_cache(), "/home/me/.cache/impasto/cuda-plans.json");
  }
  with("HOME", nullptr);
  EXPECT_EQ(plan_cache(), "");
  with("HOME", home ? home->c_str() : nullptr);
  with("XDG_CACHE_HOME", cache ? cache->c_str() : nullptr);
}

TEST(Progress, RemainingTimeLeavesOutTheFirstEvaluation) {
  RemainingTime remaining;
  EXPECT_DOUBLE_EQ(remaining.after(evaluation(1, 1, 5.0), 11), 10 * 0.5);
  EXPECT_DOUBLE_EQ(remaining.after(evaluation(2, 1, 6.0), 11), 9 * 1.0);
  EXPECT_DOUBLE_EQ(remaining.after(evaluation(11, 1, 15.0), 11), 0.0);
}

TEST(Progress, BarFitsTheTerminal) {
  for (int columns = 1; columns <= 200; ++columns) {
    const std::string text = bar_text(evaluation(150, 1.5e8, 20), 300, 20, columns);
    EXPECT_LT(static_cast<int>(text.size()), std::max(columns, 2)) << text;
  }
  const std::string text = bar_text(evaluation(150, 1.5e8, 20), 300, 65, 120);
  EXPECT_NE(text.find("[####################....................] 150/300  loss 1.5000e+08  2.00/s  ETA 1:05"), std::string::npos) << text;
}

TEST(Progress, PlainLinesComeEveryTenthEvaluationOrMinute) {
  const auto printed = [](double seconds_each, int iterations, int stop) {
    testing::internal::CaptureStderr();
    const auto display = make_progress(ProgressKind::kPlain, {});
    for (int i = 1; i <= stop; ++i) display->show(evaluation(i, 1.0, seconds_each * i), iterations);
    display->finish();
    const std::string text = testing::internal::GetCapturedStderr();
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(printed(0.1, 25, 25), 4);   // 1, 10, 20, 25
  EXPECT_EQ(printed(0.1, 25, 7), 2);    // 1, and 7 where it stopped
  EXPECT_EQ(printed(100, 25, 25), 25);  // all
}

TEST(Progress, DurationsRead) {
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(725), "12:05");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "-:--");
}

TEST(Report, NumbersThatAreNotFiniteBecomeNull) {
  Evaluation bad = evaluation(1, std::numeric_limits<double>::quiet_NaN(), 1);
  bad.gradient_rms = std::numeric_limits<double>::infinity();
  const nlohmann::json json = nlohmann::json::parse(progress_json(bad, {"relu1_1", "relu2_1"}, 10, 1));
  EXPECT_TRUE(json["total"].is_null());
  EXPECT_TRUE(json["gradient_rms"].is_null());
  EXPECT_EQ(json["style"]["relu2_1"], 3.0);
}

TEST(Report, PathsThatAreNotUtf8StillMakeJson) {
  Settings settings;
  settings.content = "caf\xe9.png";
  settings.styles = {"b.png"};
  Inputs inputs;
  inputs.content.path = settings.content;
  inputs.styles.emplace_back();
  const nlohmann::json json = nlohmann::json::parse(report_json(settings, inputs, {}, 1));
  EXPECT_EQ(json["content"]["path"], "caf\xef\xbf\xbd.png");
}

TEST(Published, TableComparesAtTheNotebooksLabels) {
  std::vector<Evaluation> evaluations;
  for (int i = 1; i <= 120; ++i) evaluations.push_back(evaluation(i, i == 49 ? 1388532.5 * 1.05 : i == 99 ? 707860.75 * 0.97 : 1.0, i));
  const std::string table = published_table(evaluations);
  EXPECT_NE(table.find("1388532.5      +5.0%"), std::string::npos) << table;
  EXPECT_NE(table.find("-3.0%"), std::string::npos) << table;
  EXPECT_EQ(table.find("538045"), std::string::npos) << table;
}

TEST(Files, TextIsReplacedWholeAndKeepsPermissions) {
  Folder folder;
  const std::string path = folder.path("report.json");
  write_text(path, "one");
  EXPECT_EQ(test::read_file(path), "one");
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string link = folder.path("link.json");
  std::filesystem::create_symlink(path, link);
  write_text(link, "two");
  EXPECT_EQ(test::read_file(path), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  check_text_writable(path);
  EXPECT_EQ(folder.files().size(), 2u);
  EXPECT_THROW(check_text_writable("/dev/null"), Failure);
  EXPECT_THROW(write_text(folder.path("no/report.json"), "x"), Failure);
}

TEST(Files, SnapshotsAreNumberedBesideTheOutput) {
  EXPECT_EQ(snapshot_path("a/b.c/out.png", 50), "a/b.c/out-0050.png");
  EXPECT_EQ(snapshot_path("out.jpg", 12345), "out-12345.jpg");
}

TEST(Files, OneFileUnderTwoNames) {
  Folder folder;
  test::write_file(folder.path("a"), "x");
  EXPECT_TRUE(same_file(folder.path("a"), folder.path("./a")));
  EXPECT_TRUE(same_file(folder.path("new"), folder.path("./new")));
  EXPECT_FALSE(same_file(folder.path("a"), folder.path("b")));
}

TEST(Memory, IsCountedInUnitsPeopleRead) {
  EXPECT_EQ(bytes_text(12), "12 bytes");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::int64_t{3} << 30), "3.0 GiB");
  EXPECT_GT(peak_memory_bytes(), 1 << 20);
  EXPECT_GT(available_memory_bytes(), 0);
}

}  // namespace impasto::command
