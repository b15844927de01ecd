#include "engine/plan_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace impasto {
namespace {

namespace fs = std::filesystem;

class PlanCacheTest : public testing::Test {
 protected:
  PlanCacheTest() {
    std::string name = (fs::temp_directory_path() / "impasto-plans-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~PlanCacheTest() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }

  std::string path(const std::string& name = "plans.json") const { return (folder_ / name).string(); }
  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void write(const std::string& content) const { std::ofstream(path(), std::ios::binary) << content; }
  // Nothing but these is in the folder: no temporary file is left.
  void expect_files(const std::set<std::string>& names) const {
    std::set<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) found.insert(entry.path().filename().string());
    EXPECT_EQ(found, names);
  }

  const MeasuredPlans plans_ = {{"cuDNN 9.19.0, NVIDIA H200, 64 to 64 channels", "engine 12, knobs 2=1"}, {"another", "engine 3, knobs"}};
  fs::path folder_;
};

TEST_F(PlanCacheTest, KeepsPlansBetweenSessions) {
  PlanCache cache(path());
  EXPECT_TRUE(cache.read().empty());
  cache.keep(plans_);
  expect_files({"plans.json"});
  PlanCache other(path());
  EXPECT_EQ(other.read(), plans_);
  EXPECT_TRUE(cache.take_notices().empty());
  EXPECT_TRUE(other.take_notices().empty());
  EXPECT_EQ(text(),
            "{\n \"impasto plans\": \"1\",\n \"another\": \"engine 3, knobs\",\n"
            " \"cuDNN 9.19.0, NVIDIA H200, 64 to 64 channels\": \"engine 12, knobs 2=1\"\n}\n");
}

TEST_F(PlanCacheTest, MakesTheFolder) {
  PlanCache cache(path("a/b/plans.json"));
  cache.keep(plans_);
  EXPECT_EQ(PlanCache(path("a/b/plans.json")).read(), plans_);
}

TEST_F(PlanCacheTest, WithoutAPathOrAnythingNewWritesNothing) {
  PlanCache nowhere("");
  EXPECT_TRUE(nowhere.read().empty());
  nowhere.keep(plans_);
  PlanCache cache(path());
  cache.keep({});
  expect_files({});
  cache.keep(plans_);
  fs::remove(path());
  cache.keep(plans_);
  expect_files({});
  // Nor does who has read all that it would keep.
  PlanCache(path()).keep(plans_);
  PlanCache reader(path());
  EXPECT_EQ(reader.read(), plans_);
  const fs::file_time_type written = fs::last_write_time(path());
  reader.keep({*plans_.begin()});
  EXPECT_EQ(fs::last_write_time(path()), written);
  EXPECT_EQ(PlanCache(path()).read(), plans_);
}

TEST_F(PlanCacheTest, WhatOthersHaveKeptMeanwhileStays) {
  PlanCache one(path());
  PlanCache two(path());
  one.read();
  two.read();
  one.keep({{"a", "1"}, {"b", "1"}});
  two.keep({{"b", "2"}, {"c", "2"}});
  EXPECT_EQ(PlanCache(path()).read(), (MeasuredPlans{{"a", "1"}, {"b", "2"}, {"c", "2"}}));
}

// Other ways of writing the same are no damage.
TEST_F(PlanCacheTest, ReadsJsonHoweverItIsLaidOut) {
  write("\n{\"b\":\"2\" ,\r\n\t\"impasto plans\" : \"1\",\"a\":\"\"}  \n");
  PlanCache cache(path());
  EXPECT_EQ(cache.read(), (MeasuredPlans{{"a", ""}, {"b", "2"}}));
  EXPECT_TRUE(cache.take_notices().empty());
}

TEST_F(PlanCacheTest, WhatIsDamagedOrForeignIsNotTakenAndReplaced) {
  PlanCache(path()).keep(plans_);
  const std::string whole = text();
  std::vector<std::string> wrong = {"",
                                    "x",
                                    "{}",
                                    "[]",
                                    "null",
                                    "{\"impasto plans\": \"2\"}",
                                    "{\"impasto plans\": 1}",
                                    whole + "x",
                                    "{\"impasto plans\": \"1\", \"a\": \"1\", \"a\": \"2\"}",
                                    "{\"impasto plans\": \"1\",}",
                                    "{\"impasto plans\": \"1\", \"a\\\\n\": \"1\"}",
                                    "{\"impasto plans\": \"1\", \"a\n\": \"1\"}",
                                    "{\"impasto plans\": \"1\", \"\xc3\xa4\": \"1\"}",
                                    std::string(1000, '\0')};
  // Cut off anywhere before the closing brace.
  for (std::size_t length = 1; length + 2 < whole.size(); ++length) wrong.push_back(whole.substr(0, length));
  for (const std::string& content : wrong) {
    write(content);
    PlanCache cache(path());
    EXPECT_TRUE(cache.read().empty()) << content;
    const std::vector<std::string> notices = cache.take_notices();
    ASSERT_EQ(notices.size(), 1u) << content;
    EXPECT_EQ(notices[0], "no measured plans are taken from " + path() + ": it is damaged, or of another program");
    EXPECT_TRUE(cache.take_notices().empty());
    cache.keep({});
    EXPECT_EQ(text(), content);
    cache.keep(plans_);
    EXPECT_EQ(text(), whole);
    EXPECT_TRUE(cache.take_notices().empty());
  }
  expect_files({"plans.json"});
}

TEST_F(PlanCacheTest, WhatCannotBeReadOrWrittenIsANotice) {
  fs::create_directory(path());
  PlanCache folder(path());
  EXPECT_TRUE(folder.read().empty());
  folder.keep(plans_);
  const std::vector<std::string> of_folder = folder.take_notices();
  ASSERT_EQ(of_folder.size(), 2u);
  EXPECT_EQ(of_folder[0], "no measured plans are taken from " + path() + ": it is not a regular file");
  EXPECT_EQ(of_folder[1], "the measured plans are not kept: cannot write " + path() + ": it is a directory");
  // Said once, as long as there is nothing else to keep.
  folder.keep(plans_);
  EXPECT_TRUE(folder.take_notices().empty());

  std::ofstream(path("file")) << "x";
  PlanCache below(path("file/plans.json"));
  EXPECT_TRUE(below.read().empty());
  below.keep(plans_);
  const std::vector<std::string> of_below = below.take_notices();
  ASSERT_FALSE(of_below.empty());
  EXPECT_NE(of_below.back().find("the measured plans are not kept: cannot write " + path("file/plans.json")), std::string::npos);
  expect_files({"file", "plans.json"});
}

TEST_F(PlanCacheTest, WithoutPermissionThereIsANotice) {
  if (geteuid() == 0) GTEST_SKIP() << "permissions do not hold for root";
  PlanCache(path()).keep(plans_);
  ASSERT_EQ(chmod(path().c_str(), 0), 0);
  PlanCache cache(path());
  EXPECT_TRUE(cache.read().empty());
  ASSERT_EQ(cache.take_notices().size(), 1u);
  ASSERT_EQ(chmod(path().c_str(), 0444), 0);
  EXPECT_EQ(PlanCache(path()).read(), plans_);
  cache.keep({{"new", "1"}});
  ASSERT_EQ(cache.take_notices().size(), 1u);
  EXPECT_EQ(PlanCache(path()).read(), plans_);
}

}  // namespace
}  // namespace impasto
