#include "weights_converter/weight_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "checkpoint_files.h"
#include "impasto/error.h"

namespace impasto {
namespace {

using testing::TemporaryFolder;

const std::vector<std::byte> kBytes(100000, std::byte{7});

// Against the definition: nearest of the neighbours, found by comparing, ties to the even one.
TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(float_to_half(0.0f), 0x0000);
  EXPECT_EQ(float_to_half(-0.0f), 0x8000);
  EXPECT_EQ(float_to_half(1.0f), 0x3c00);
  EXPECT_EQ(float_to_half(-2.0f), 0xc000);
  EXPECT_EQ(float_to_half(65504.0f), 0x7bff);
  EXPECT_EQ(float_to_half(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(INFINITY), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_half(NAN) & 0x7c00, 0x7c00);
  EXPECT_NE(float_to_half(NAN) & 0x03ff, 0);
  EXPECT_EQ(float_to_half(1 + 0x1p-11f), 0x3c00);             // tie, even below
  EXPECT_EQ(float_to_half(1 + 3 * 0x1p-11f), 0x3c02);         // tie, even above
  EXPECT_EQ(float_to_half(1 + 0x1p-11f + 0x1p-20f), 0x3c01);  // above the tie
  EXPECT_EQ(float_to_half(2 - 0x1p-12f), 0x4000);             // carries into the exponent
  EXPECT_EQ(float_to_half(0x1p-14f), 0x0400);                 // smallest normal
  EXPECT_EQ(float_to_half(0x1p-14f - 0x1p-24f), 0x03ff);      // largest subnormal
  EXPECT_EQ(float_to_half(0x1p-14f - 0x1p-26f), 0x0400);      // rounds up to normal
  EXPECT_EQ(float_to_half(0x1p-24f), 0x0001);
  EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);  // tie, even below
  EXPECT_EQ(float_to_half(std::nextafter(0x1p-25f, 1.0f)), 0x0001);
  EXPECT_EQ(float_to_half(-1.5f * 0x1p-24f), 0x8002);
}

TEST(Float16, ErrorIsRelative) {
  EXPECT_EQ(float16_error({1, -0.5f, 0.25f}), 0);
  EXPECT_EQ(float16_error({0, 0}), 0);
  const float off = 1 + 0x1p-12f;
  EXPECT_NEAR(float16_error({off, off}), 0x1p-12 / off, 1e-15);
  EXPECT_NEAR(float16_error({off, 0, 1}), 0x1p-12 / std::hypot(off, 1), 1e-15);
}

TEST(WriteFileWhole, WritesAndReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder.write("out.h5", "older");
  write_file_whole(path, kBytes);
  EXPECT_EQ(std::filesystem::file_size(path), kBytes.size());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out.h5"});
}

TEST(WriteFileWhole, FailuresLeaveNothing) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_file_whole(folder.path("absent/out.h5"), kBytes), IoError);
  EXPECT_THROW(write_file_whole("/proc/out.h5", kBytes), IoError);
  EXPECT_THROW(write_file_whole("/dev/full", kBytes), IoError);
  EXPECT_THROW(write_file_whole(folder.path(""), kBytes), IoError);  // the folder itself
  EXPECT_TRUE(folder.names().empty());
}

// A limit on file sizes stands for a full disk: write() comes back short, then fails.
TEST(WriteFileWhole, FullDiskLeavesTheOlderFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("out.h5", "older");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {50000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(write_file_whole(path, kBytes), IoError);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out.h5"});
  EXPECT_EQ(std::filesystem::file_size(path), 5u);
}

}  // namespace
}  // namespace impasto
