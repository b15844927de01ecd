// Files are replaced whole or not at all, by write_picture as anyone calls it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "impasto/error.h"
#include "impasto/image_io.h"
#include "tests/unit/image_io/picture_files.h"

namespace impasto {
namespace {

using Names = std::vector<std::string>;

Picture grey() { return {{64, 64, std::vector<float>(3 * 64 * 64, 0.5f)}, {}}; }

mode_t mode_of(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

class ReplaceFile : public testing::Test {
 protected:
  // Both functions refuse path, naming it and giving the reason.
  static void expect_refused(const std::string& path, const std::string& reason) {
    for (const bool write : {false, true}) {
      try {
        write ? write_picture(path, grey()) : check_writable(path);
        ADD_FAILURE() << path << " was accepted";
      } catch (const IoError& error) {
        const std::string message = error.what();
        EXPECT_EQ(message.substr(0, 14 + path.size()), "cannot write " + path + ":");
        EXPECT_NE(message.find(reason), std::string::npos) << message;
      }
    }
  }
  ScratchDirectory scratch_;
};

TEST_F(ReplaceFile, CheckLeavesNothingAndChangesNothing) {
  check_writable(scratch_.path("a.png"));
  EXPECT_EQ(scratch_.entries(), Names{});
  const std::string path = scratch_.file("a.png", "old");
  check_writable(path);
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(scratch_.entries(), Names{"a.png"});
}

TEST_F(ReplaceFile, OldBecomesWholeNew) {
  const std::string path = scratch_.file("a.png", "old");
  write_picture(path, grey());
  EXPECT_EQ(read_picture(path).image.width, 64);
  EXPECT_EQ(scratch_.entries(), Names{"a.png"});
}

TEST_F(ReplaceFile, ARelativeNameIsInTheWorkingDirectory) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch_.path(""));
  write_picture("here.png", grey());
  std::filesystem::current_path(before);
  EXPECT_EQ(scratch_.entries(), Names{"here.png"});
}

TEST_F(ReplaceFile, PlacesThatTakeNoFile) {
  std::filesystem::create_directory(scratch_.path("folder.png"));
  expect_refused(scratch_.path("folder.png"), "it is a directory");
  expect_refused(scratch_.path("nowhere/a.png"), "No such file or directory");
  scratch_.file("file", "x");
  expect_refused(scratch_.path("file/a.png"), "Not a directory");
  ASSERT_EQ(mkfifo(scratch_.path("pipe.png").c_str(), 0600), 0);
  expect_refused(scratch_.path("pipe.png"), "not a regular file");
  EXPECT_EQ(scratch_.entries(), (Names{"file", "folder.png", "pipe.png"}));
}

TEST_F(ReplaceFile, ADirectoryOrFileWithoutPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "permissions do not hold for root";
  const std::string path = scratch_.file("a.png", "old");
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  expect_refused(path, "Permission denied");
  ASSERT_EQ(chmod(scratch_.path("").c_str(), 0555), 0);
  expect_refused(scratch_.path("b.png"), "Permission denied");
  ASSERT_EQ(chmod(scratch_.path("").c_str(), 0755), 0);
  EXPECT_EQ(bytes_of(path), "old");
}

TEST_F(ReplaceFile, PermissionsFollowUmaskAndThenTheFileThatWasThere) {
  const mode_t before = umask(027);
  write_picture(scratch_.path("a.png"), grey());
  umask(before);
  EXPECT_EQ(mode_of(scratch_.path("a.png")), 0640u);
  ASSERT_EQ(chmod(scratch_.path("a.png").c_str(), 0604), 0);
  write_picture(scratch_.path("a.png"), grey());
  EXPECT_EQ(mode_of(scratch_.path("a.png")), 0604u);
}

TEST_F(ReplaceFile, ALinkIsFollowed) {
  std::filesystem::create_directory(scratch_.path("far"));
  scratch_.file("far/a.png", "old");
  std::filesystem::create_symlink("far/a.png", scratch_.path("link.png"));
  write_picture(scratch_.path("link.png"), grey());
  EXPECT_TRUE(std::filesystem::is_symlink(scratch_.path("link.png")));
  EXPECT_EQ(read_picture(scratch_.path("far/a.png")).image.width, 64);
  EXPECT_EQ(scratch_.entries(), (Names{"far", "link.png"}));
}

// A file may not grow past a few bytes: write fails half-way, as on a full disk.
TEST_F(ReplaceFile, AWriteThatFailsHalfWayLeavesTheOldFile) {
  const std::string path = scratch_.file("a.png", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{16, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::string message;
  try {
    write_picture(path, grey());
  } catch (const IoError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write " + path + ": File too large");
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(scratch_.entries(), Names{"a.png"});
}

}  // namespace
}  // namespace impasto
