#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "weights_converter/checkpoint.h"

namespace impasto {
namespace {

using testing::FileTensor;
using testing::little;
using testing::raw;
using testing::safetensors;
using testing::TemporaryFolder;

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  try {
    open_checkpoint(folder.write("a.safetensors", bytes));
  } catch (const WeightError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "read without complaint";
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

TEST(Safetensors, ReadsEveryFloatType) {
  const TemporaryFolder folder;
  const auto checkpoint = open_checkpoint(folder.write("a.safetensors", safetensors({
                                                                            {"single", "Float", {1, 2}, raw<float>({1.5f, -2})},
                                                                            {"half", "Half", {2}, raw<std::uint16_t>({0x3c00, 0xfc00})},
                                                                            {"brain", "BFloat16", {1}, raw<std::uint16_t>({0x4000})},
                                                                            {"double", "Double", {}, raw<double>({0.125})},
                                                                            {"count", "Long", {1}, raw<std::int64_t>({7})},
                                                                            {"none", "Float", {3, 0}, ""},
                                                                        })));
  const auto values = [&](const char* name) { return checkpoint->read(*checkpoint->find(name)); };
  EXPECT_EQ(checkpoint->tensors().size(), 6u);
  EXPECT_EQ(checkpoint->find("single")->shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(values("single"), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(values("half"), (std::vector<float>{1, -INFINITY}));
  EXPECT_EQ(values("brain"), std::vector<float>{2});
  EXPECT_EQ(values("double"), std::vector<float>{0.125f});
  EXPECT_TRUE(values("none").empty());
  EXPECT_THROW(values("count"), WeightError);
}

TEST(Safetensors, RefusesBadHeaders) {
  const auto one = [](const std::string& entry) { return safetensors("{\"w\":" + entry + "}", std::string(8, 'x')); };
  EXPECT_EQ(refusal(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})")), "read without complaint");
  for (const char* entry : {
           "7",
           "{}",
           R"({"dtype":"F32","shape":[2]})",
           R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})",
           R"({"dtype":"F31","shape":[2],"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":[2],"data_offsets":[0]})",
           R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})",
           R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",
           R"({"dtype":"F32","shape":[2],"data_offsets":["0","8"]})",
           R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})",
           R"({"dtype":"F64","shape":[2],"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":[9223372036854775809],"data_offsets":[0,8]})",
           R"({"dtype":"F32","shape":[4611686018427387904,4,2],"data_offsets":[0,8]})",  // 2^62 * 4 * 4 * 2 overflows to 0
           R"({"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807,2],"data_offsets":[0,8]})",
       }) {
    EXPECT_TRUE(says(refusal(one(entry)), "tensor w")) << entry;
  }
  EXPECT_TRUE(says(refusal(safetensors("{not json", "")), "not JSON"));
  EXPECT_TRUE(says(refusal(safetensors("{", "")), "not JSON"));
  EXPECT_TRUE(says(refusal(safetensors("{" + std::string(100000, '['), "")), "not JSON"));
  EXPECT_TRUE(says(refusal(safetensors("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}", "")), "tensor a"));
}

TEST(Safetensors, RefusesHolesOverlapsAndRanges) {
  const std::string a = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":)";
  EXPECT_EQ(refusal(safetensors(a + "[4,8]}}", std::string(8, 'x'))), "read without complaint");
  EXPECT_TRUE(says(refusal(safetensors(a + "[8,12]}}", std::string(12, 'x'))), "hole"));
  EXPECT_TRUE(says(refusal(safetensors(a + "[2,6]}}", std::string(8, 'x'))), "overlap"));
  EXPECT_TRUE(says(refusal(safetensors(a + "[0,4]}}", std::string(8, 'x'))), "overlap"));
  EXPECT_TRUE(says(refusal(safetensors(a + "[4,8]}}", std::string(7, 'x'))), "cut short"));
  EXPECT_TRUE(says(refusal(safetensors(a + "[4,8]}}", std::string(9, 'x'))), "1 bytes too many"));
}

TEST(Safetensors, RefusesRepeatedNames) {
  const FileTensor tensor = {"w", "Float", {1}, raw<float>({1})};
  EXPECT_TRUE(says(refusal(safetensors({tensor, tensor})), "there twice"));
}

TEST(Safetensors, HugeHeaderIsRefusedBeforeAnythingIsAllocated) {
  EXPECT_TRUE(says(refusal(little(0x7fffffffffffffff, 8) + "{"), "header claims 9223372036854775807 bytes"));
  EXPECT_TRUE(says(refusal(little(1000, 8) + "{}"), "cut short"));
}

}  // namespace
}  // namespace impasto
