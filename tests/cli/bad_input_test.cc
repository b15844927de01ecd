// Whatever is wrong: the right exit code, one line that names the culprit, nothing created, nothing overwritten.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>

#include <cstdint>
#include <filesystem>

#include "tests/cli/command.h"
#include "tests/cli/weight_file.h"

namespace impasto::test {

namespace {

// A folder with a content, a style and an output of an earlier run that must survive.
struct Scene {
  Folder folder;
  std::string content = folder.path("content.png");
  std::string style = folder.path("style.png");
  std::string out = folder.path("out.png");
  Scene() {
    write_sample(content, 40, 30, 1);
    write_sample(style, 36, 28, 2);
    write_file(out, "an earlier picture");
  }
};

void expect_refused(const Folder& folder, const std::vector<std::string>& arguments, int exit_code, const std::string& named,
                    const Environment& environment = {}) {
  const auto before = folder.files();
  const Outcome outcome = run(arguments, environment);
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(is_one_error_line(outcome.err)) << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << "expected '" << named << "' in: " << outcome.err;
  EXPECT_TRUE(folder.files() == before) << "files changed";
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const std::string body = type + data;
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : body) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return number(static_cast<std::uint32_t>(data.size())) + body + number(~crc);
}

// The header of a 60000x60000 picture and no pixels to speak of.
std::string huge_png() {
  const std::string size = {0, 0, '\xea', '\x60'};
  const std::string ihdr = size + size + std::string("\x08\x02\x00\x00\x00", 5);
  return std::string("\x89PNG\r\n\x1a\n", 8) + png_chunk("IHDR", ihdr) +
         png_chunk("IDAT", std::string("\x78\x9c\x63\x00\x00\x00\x01\x00\x01", 9)) + png_chunk("IEND", "");
}

}  // namespace

// --- pictures --------------------------------------------------------------------------------------------------------------------------

struct BadPicture {
  const char* name;
  const char* file;
  void (*make)(const std::string& path);
};

class BadPictures : public testing::TestWithParam<BadPicture> {};

TEST_P(BadPictures, AreRefusedAsContentStyleAndInit) {
  Scene scene;
  const std::string bad = scene.folder.path(GetParam().file);
  GetParam().make(bad);
  expect_refused(scene.folder, {bad, scene.style, "-o", scene.out, "--untrained"}, 4, bad);
  expect_refused(scene.folder, {scene.content, bad, "-o", scene.out, "--untrained"}, 4, bad);
  expect_refused(scene.folder, {scene.content, scene.style, bad, "-o", scene.out, "--untrained"}, 4, bad);
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--untrained", "--init", bad}, 4, bad);
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadPictures,
    testing::Values(BadPicture{"TruncatedJpeg", "cut.jpg",
                               [](const std::string& path) {
                                 write_sample(path, 200, 150, 3);
                                 const std::string bytes = read_file(path);
                                 write_file(path, bytes.substr(0, bytes.size() / 2));
                               }},
                    BadPicture{"TruncatedPng", "cut.png",
                               [](const std::string& path) {
                                 write_sample(path, 200, 150, 3);
                                 const std::string bytes = read_file(path);
                                 write_file(path, bytes.substr(0, bytes.size() / 2));
                               }},
                    BadPicture{"HugePngHeader", "huge.png", [](const std::string& path) { write_file(path, huge_png()); }},
                    BadPicture{"TextNamedPng", "text.png", [](const std::string& path) { write_file(path, "This is not a picture.\n"); }},
                    BadPicture{"EmptyFile", "empty.png", [](const std::string& path) { write_file(path, ""); }},
                    BadPicture{"Directory", "folder.png", [](const std::string& path) { std::filesystem::create_directory(path); }},
                    BadPicture{"MissingFile", "missing.png", [](const std::string&) {}}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(CliBadInput, PictureBeyondMaxPixelsIsRefused) {
  Scene scene;
  write_sample(scene.folder.path("large.png"), 1200, 1000, 3);
  expect_refused(scene.folder, {scene.folder.path("large.png"), scene.style, "-o", scene.out, "--untrained", "--max-pixels", "1"}, 4,
                 "large.png");
}

TEST(CliBadInput, PictureTooSmallForTheNetworkIsRefused) {
  Scene scene;
  write_sample(scene.folder.path("tiny.png"), 8, 8, 3);
  expect_refused(scene.folder, {scene.folder.path("tiny.png"), scene.style, "-o", scene.out, "--untrained"}, 2, "8x8");
}

TEST(CliBadInput, FileNamesWithLineBreaksStayOnOneLine) {
  Scene scene;
  expect_refused(scene.folder, {scene.folder.path("no\nsuch\x1b[1mfile.png"), scene.style, "-o", scene.out, "--untrained"}, 4, "no");
}

// --- weights ---------------------------------------------------------------------------------------------------------------------------

struct BadWeights {
  const char* name;
  void (*make)(const std::string& path);
  const char* named;
};

class BadWeightFiles : public testing::TestWithParam<BadWeights> {};

TEST_P(BadWeightFiles, AreRefused) {
  Scene scene;
  const std::string weights = scene.folder.path("weights.h5");
  GetParam().make(weights);
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--weights", weights}, 5, weights);
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--weights", weights}, 5, GetParam().named);
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out}, 5, weights, {{"IMPASTO_WEIGHTS", weights}});
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadWeightFiles,
    testing::Values(
        BadWeights{"CutShort",
                   [](const std::string& path) {
                     write_weight_file(path);
                     const std::string bytes = read_file(path);
                     write_file(path, bytes.substr(0, bytes.size() * 2 / 3));
                   },
                   "weights.h5"},
        BadWeights{"WrongShape", [](const std::string& path) { write_weight_file(path, {.wrong_shape = true}); }, "conv4_1"},
        BadWeights{"MissingLayer", [](const std::string& path) { write_weight_file(path, {.without_conv5_1 = true}); }, "conv5_1"},
        BadWeights{"NaN", [](const std::string& path) { write_weight_file(path, {.nan_in_conv3_2 = true}); }, "conv3_2"},
        BadWeights{"WrongArchitecture", [](const std::string& path) { write_weight_file(path, {.architecture = "vgg16"}); }, "vgg16"},
        BadWeights{"WrongVersion", [](const std::string& path) { write_weight_file(path, {.format_version = 7}); }, "7"},
        BadWeights{"Text", [](const std::string& path) { write_file(path, "not HDF5"); }, "weights.h5"},
        BadWeights{"Empty", [](const std::string& path) { write_file(path, ""); }, "weights.h5"},
        BadWeights{"Directory", [](const std::string& path) { std::filesystem::create_directory(path); }, "weights.h5"},
        BadWeights{"Missing", [](const std::string&) {}, "no such file"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(CliBadInput, MissingWeightsListEveryPlaceAndTheCure) {
  Scene scene;
  const std::string home = scene.folder.path("data");
  const Environment environment = {{"XDG_DATA_HOME", home}};
  for (const std::string& named :
       {home + "/impasto/vgg19-oxford.h5", home + "/impasto/vgg19-torchvision.h5", std::string("/share/impasto/vgg19-oxford.h5"),
        std::string("tools/get-weights"), std::string("--untrained")}) {
    expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out}, 5, named, environment);
  }
}

TEST(CliBadInput, GatysPresetNeedsTheOxfordNetwork) {
  Scene scene;
  const std::string weights = scene.folder.path("torchvision.h5");
  write_weight_file(weights, {.input_scale = 1});
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--preset", "gatys", "--weights", weights}, 5, "Oxford");
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--preset", "gatys", "--untrained"}, 2, "Oxford");
}

// --- outputs ---------------------------------------------------------------------------------------------------------------------------

TEST(CliBadInput, OutputsThatCannotBeWrittenAreRefusedBeforeTheRun) {
  Scene scene;
  std::filesystem::create_directory(scene.folder.path("folder.png"));
  const auto arguments = [&](const std::string& out) {
    return std::vector<std::string>{scene.content, scene.style, "--untrained", "-o", out};
  };
  expect_refused(scene.folder, arguments(scene.folder.path("nowhere/out.png")), 1, "nowhere/out.png");
  expect_refused(scene.folder, arguments(scene.folder.path("folder.png")), 1, "folder.png");
  expect_refused(scene.folder, arguments("/proc/out.png"), 1, "/proc/out.png");
  expect_refused(scene.folder, arguments(scene.folder.path("out.bmp2")), 2, "out.bmp2");
  expect_refused(scene.folder, arguments(scene.folder.path("out")), 2, "/out");
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", scene.folder.path("out.jpg"), "--bit-depth", "16"}, 2,
                 "16");
  const auto report = [&](const std::string& path) {
    return std::vector<std::string>{scene.content, scene.style, "--untrained", "-o", scene.out, "--report", path};
  };
  expect_refused(scene.folder, report(scene.folder.path("nowhere/report.json")), 1, "nowhere/report.json");
  expect_refused(scene.folder, report(scene.folder.path("folder.png")), 1, "folder.png");
  expect_refused(scene.folder, report("/dev/full"), 1, "/dev/full");
}

TEST(CliBadInput, InputsAreNeverOverwritten) {
  Scene scene;
  const std::string other_name = scene.folder.path("link.png");
  std::filesystem::create_symlink(scene.content, other_name);
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", scene.content}, 2, scene.content);
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", scene.style}, 2, scene.style);
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", other_name}, 2, scene.content);
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", scene.out, "--report", scene.style}, 2, scene.style);
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained", "-o", scene.out, "--report", scene.out}, 2, scene.out);
  const std::string snapshot = scene.folder.path("out-0002.png");
  write_sample(snapshot, 40, 30, 5);
  expect_refused(scene.folder, {snapshot, scene.style, "--untrained", "-o", scene.out, "--save-every", "2"}, 2, snapshot);
}

// Every file may grow to 600 bytes, less than any output: as on a disk that fills up, writing starts and then fails.
TEST(CliBadInput, FileThatCannotGrowLeavesTheOldOne) {
  Scene scene;
  const auto before = scene.folder.files();
  const Outcome outcome = Command({command_path(), scene.content, scene.style, "-o", scene.out, "--weights", averaging_weights(),
                                   "--iterations", "2", "--quiet"},
                                  {},
                                  [] {
                                    const rlimit limit = {600, 600};
                                    setrlimit(RLIMIT_FSIZE, &limit);
                                  })
                              .finish();
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_TRUE(is_one_error_line(outcome.err)) << outcome.err;
  EXPECT_NE(outcome.err.find(scene.out), std::string::npos) << outcome.err;
  EXPECT_TRUE(scene.folder.files() == before);
}

// A file system of 12 KiB, mounted where only the command's own view shows it.
TEST(CliBadInput, FullDiskLeavesTheOldFile) {
  Scene scene;
  const std::string disk = scene.folder.path("disk");
  std::filesystem::create_directory(disk);
  const std::string script = "mount -t tmpfs -o size=12k impasto-test '" + disk + "' 2>/dev/null || exit 77; cd '" + disk +
                             "'; echo old > out.png; '" + command_path() + "' ../content.png ../style.png -o out.png --weights '" +
                             averaging_weights() + "' --size 128 --iterations 2 --quiet; code=$?; ls -A; cat out.png; exit $code";
  const Outcome outcome = run_program({"/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script});
  if (outcome.exit_code == 77 || outcome.err.starts_with("unshare:")) {
    GTEST_SKIP()
        << "this system lets no one mount a small file system of their own; FileThatCannotGrowLeavesTheOldOne covers the failing write";
  }
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(is_one_error_line(outcome.err)) << outcome.err;
  EXPECT_NE(outcome.err.find("out.png"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out, "out.png\nold\n");
}

TEST(CliBadInput, RunThatCannotFitInMemoryIsRefusedBeforeItStarts) {
  Scene scene;
  expect_refused(scene.folder, {scene.content, scene.style, "-o", scene.out, "--untrained", "--size", "40000"}, 6, "memory");
}

TEST(CliBadInput, ClosedStandardOutputIsAnError) {
  Scene scene;
  const Outcome outcome = Command({command_path(), "--version"}, {}, [] { std::freopen("/dev/full", "w", stdout); }).finish();
  EXPECT_EQ(outcome.exit_code, 1);
}

// --- options ---------------------------------------------------------------------------------------------------------------------------

struct BadOption {
  std::vector<std::string> arguments;
  int exit_code;
  const char* named;
};

TEST(CliBadInput, OptionsOutOfRangeAreRefusedByNameAndValue) {
  Scene scene;
  const std::vector<BadOption> cases = {
      {{"--style-weight", "nan"}, 2, "nan"},
      {{"--style-weight", "inf"}, 2, "inf"},
      {{"--style-weight", "-1"}, 2, "-1"},
      {{"--style-weight", "1,,2"}, 2, "1,,2"},
      {{"--style-weight", "1,2"}, 2, "2"},
      {{"--style-weight", "1e999"}, 2, "1e999"},
      {{"--style-weight", "12abc"}, 2, "12abc"},
      {{"--content-weight", "NaN"}, 2, "NaN"},
      {{"--tv-weight", "-0.5"}, 2, "-0.5"},
      {{"--style-blend", "nan"}, 2, "nan"},
      {{"--style-blend", "1,2"}, 2, "--style-blend"},
      {{"--style-blend", "0"}, 2, "blend"},
      {{"--iterations", "-1"}, 2, "-1"},
      {{"--iterations", "3.5"}, 2, "3.5"},
      {{"--iterations", ""}, 2, "--iterations"},
      {{"--iterations", "99999999999999999999"}, 2, "99999999999999999999"},
      {{"--history", "0"}, 2, "0"},
      {{"--learning-rate", "0"}, 2, "--learning-rate"},
      {{"--threads", "100000"}, 2, "100000"},
      {{"--threads", "-1"}, 2, "-1"},
      {{"--tile", "3"}, 2, "3"},
      {{"--exact", "--tile", "4"}, 2, "--tile"},
      {{"--seed", "-1"}, 2, "-1"},
      {{"--max-width", "-5"}, 2, "-5"},
      {{"--size", "0"}, 2, "0"},
      {{"--size", "64", "--max-width", "64"}, 2, "--size"},
      {{"--quality", "101"}, 2, "101"},
      {{"--bit-depth", "12"}, 2, "12"},
      {{"--max-pixels", "0"}, 2, "--max-pixels"},
      {{"--save-every", "-1"}, 2, "-1"},
      {{"--content-layers", "relu9_9"}, 2, "relu9_9"},
      {{"--style-layers", "relu1_1,conv6_1"}, 2, "conv6_1"},
      {{"--style-layers", "pool3"}, 2, "pool3"},
      {{"--optimizer", "sgd"}, 2, "sgd"},
      {{"--pooling", "min"}, 2, "min"},
      {{"--filter", "nearest"}, 2, "nearest"},
      {{"--preset", "johnson"}, 2, "johnson"},
      {{"--progress", "loud"}, 2, "loud"},
      {{"--device", "quantum"}, 2, "quantum"},
      {{"--device", "cuda"}, 3, "CUDA"},
      {{"--device", "cuda:1"}, 3, "CUDA"},
      {{"--device", "cuda:"}, 2, "cuda:"},
      {{"--device", "cuda:x"}, 2, "cuda:x"},
      {{"--device", "cuda:-1"}, 2, "cuda:-1"},
      {{"--cpu-isa", "abacus"}, 2, "abacus"},
      {{"--weights", "w.h5"}, 2, "--untrained"},
      {{"--frobnicate"}, 2, "--frobnicate"},
      {{"--iterations", "3", "--iterations", "4"}, 2, "--iterations"},
      {{"--iterations"}, 2, "iterations"},
      {{"--report", ""}, 2, "report"},
  };
  for (const BadOption& bad : cases) {
    std::vector<std::string> arguments = {scene.content, scene.style, "-o", scene.out, "--untrained"};
    arguments.insert(arguments.end(), bad.arguments.begin(), bad.arguments.end());
    SCOPED_TRACE(testing::PrintToString(bad.arguments));
    expect_refused(scene.folder, arguments, bad.exit_code, bad.named);
  }
}

TEST(CliBadInput, MissingArgumentsAreNamed) {
  Scene scene;
  expect_refused(scene.folder, {}, 2, "CONTENT");
  expect_refused(scene.folder, {scene.content}, 2, "STYLE");
  expect_refused(scene.folder, {scene.content, scene.style, "--untrained"}, 2, "-o");
  expect_refused(scene.folder, {scene.content, "", "-o", scene.out, "--untrained"}, 2, "STYLE");
}

}  // namespace impasto::test
