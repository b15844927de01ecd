#include <gtest/gtest.h>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "weights_converter/checkpoint.h"

namespace impasto {
namespace {

using testing::FileTensor;
using testing::raw;
using testing::TemporaryFolder;
using testing::torch_legacy;
using testing::torch_zip;
namespace pickle = testing::pickle;

const std::vector<FileTensor> kTensors = {
    {"single", "Float", {2, 3}, raw<float>({1, 2, 3, -4, 0.5f, 6})},
    {"half", "Half", {5}, raw<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000})},
    {"brain", "BFloat16", {2}, raw<std::uint16_t>({0x3f80, 0xc040})},
    {"double", "Double", {2}, raw<double>({0.25, -3})},
    {"bytes", "Byte", {3}, raw<std::uint8_t>({0, 7, 255})},
    {"count", "Long", {}, raw<std::int64_t>({42})},
    {"turned", "Float", {3, 2}, raw<float>({9, 1, 2, 3, 4, 5, 6, 9}), {1, 3}, 1},
    {"none", "Float", {0, 4}, ""},
};

void expect_tensors(const Checkpoint& checkpoint) {
  ASSERT_EQ(checkpoint.tensors().size(), kTensors.size());
  const auto values = [&](const char* name) { return checkpoint.read(*checkpoint.find(name)); };
  EXPECT_EQ(checkpoint.find("single")->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(values("single"), (std::vector<float>{1, 2, 3, -4, 0.5f, 6}));
  EXPECT_EQ(values("half"), (std::vector<float>{1, -2, 0x1p-24f, 65504, -0.0f}));
  EXPECT_EQ(values("brain"), (std::vector<float>{1, -3}));
  EXPECT_EQ(values("double"), (std::vector<float>{0.25f, -3}));
  EXPECT_EQ(values("bytes"), (std::vector<float>{0, 7, 255}));
  EXPECT_EQ(values("turned"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_TRUE(values("none").empty());
  EXPECT_EQ(checkpoint.find("count")->type, ElementType::kOther);
  EXPECT_THROW(values("count"), WeightError);
  EXPECT_EQ(checkpoint.find("absent"), nullptr);
}

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  try {
    open_checkpoint(folder.write("a.pth", bytes));
  } catch (const WeightError& error) {
    return error.what();
  }
  return "read without complaint";
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

TEST(TorchCheckpoint, ReadsZip) {
  const TemporaryFolder folder;
  expect_tensors(*open_checkpoint(folder.write("a.pth", torch_zip(kTensors))));
}

TEST(TorchCheckpoint, ReadsZip64) {
  const TemporaryFolder folder;
  expect_tensors(*open_checkpoint(folder.write("a.pth", torch_zip(kTensors, true))));
}

TEST(TorchCheckpoint, ReadsLegacy) {
  const TemporaryFolder folder;
  expect_tensors(*open_checkpoint(folder.write("a.bin", torch_legacy(kTensors))));
}

// As the PyTorch of 2017 wrote state dictionaries: the first _rebuild_tensor, inside a Parameter with state.
TEST(TorchCheckpoint, ReadsParametersOfEarlyPyTorch) {
  const FileTensor tensor = {"w", "Float", {2}, raw<float>({3, 4})};
  std::string early = pickle::tensor(tensor, "0", true);
  early.replace(early.find("_rebuild_tensor_v2"), 18, "_rebuild_tensor");
  const std::string parameter = pickle::global("torch.nn.parameter", "Parameter") + early + "\x85R" + "(\x88\x89N" + "tb";
  const std::string again = pickle::global("torch._utils", "_rebuild_parameter") + pickle::tuple({early, "\x88", "N"}) + "R";
  const std::string made = pickle::global("torch.nn.parameter", "Parameter") + early + "\x85\x81";
  const std::string dictionary =
      pickle::program(pickle::global("collections", "OrderedDict") + ")R(" + pickle::text("w") + parameter + pickle::text("v") + again +
                      pickle::text("u") + made + "u}(" + pickle::text("_metadata") + "}ub");
  const TemporaryFolder folder;
  const auto checkpoint = open_checkpoint(folder.write("a.pth", torch_legacy(dictionary, {tensor})));
  ASSERT_EQ(checkpoint->tensors().size(), 3u);
  for (const Tensor& read : checkpoint->tensors()) EXPECT_EQ(checkpoint->read(read), (std::vector<float>{3, 4}));
}

TEST(TorchCheckpoint, RefusesProgramsThatCall) {
  const std::string call = pickle::program(pickle::global("os", "system") + pickle::text("touch harm") + "\x85R");
  EXPECT_TRUE(says(refusal(call), "asks for os.system"));
  EXPECT_TRUE(says(refusal(torch_legacy(call, {})), "asks for os.system"));
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", call}})), "asks for os.system"));
  EXPECT_TRUE(says(refusal("cos\nsystem\n(S'touch harm'\ntR."), "asks for os.system"));
}

TEST(TorchCheckpoint, RefusesTensorsOutsideTheirStorage) {
  const std::string four = raw<float>({1, 2, 3, 4});
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  for (const FileTensor& wrong : std::vector<FileTensor>{
           {"w", "Float", {5}, four},                     // one too many
           {"w", "Float", {2}, four, {1}, 3},             // beyond the end
           {"w", "Float", {2, 2}, four, {3, 1}},          // strides beyond the end
           {"w", "Float", {1000000}, four, {0}},          // one element a million times
           {"w", "Float", {kHuge, kHuge}, four},          // the product overflows
           {"w", "Float", {kHuge, 4}, four, {0, 0}},      //
           {"w", "Float", {3, 2}, four, {kHuge, kHuge}},  // the reach overflows
           {"w", "Float", {1}, four, {1}, kHuge},         //
           {"w", "Float", {-1}, four},                    //
           {"w", "Float", {2}, four, {-1}, 2},            //
           {"w", "Float", {1}, four, {1}, -1},            //
           {"w", "Float", {2, 2}, four, {1}},             // fewer strides than sizes
       }) {
    EXPECT_TRUE(says(refusal(torch_zip({wrong})), "tensor w")) << shape_text(wrong.shape);
    EXPECT_TRUE(says(refusal(torch_legacy({wrong})), "tensor w")) << shape_text(wrong.shape);
  }
}

TEST(TorchCheckpoint, RefusesStoragesThatLieAboutTheirSize) {
  const FileTensor honest = {"w", "Float", {2}, raw<float>({1, 2})};
  const FileTensor large = {"w", "Float", {2}, std::string(4000, 'x')};
  // The dictionary claims 1000 elements, the file holds two.
  EXPECT_TRUE(says(refusal(torch_legacy(pickle::state_dict({large}, true), {honest})), "should have 1000"));
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", pickle::state_dict({large}, false)}, {"m/data/0", honest.data}})), "another size"));
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", pickle::state_dict({honest}, false)}})), "missing"));
  EXPECT_TRUE(says(refusal(torch_legacy(pickle::state_dict({honest}, true), {})), "bytes too many") ||
              says(refusal(torch_legacy(pickle::state_dict({honest}, true), {})), "missing"));
  EXPECT_TRUE(says(refusal(torch_legacy(pickle::state_dict({}, true), {honest})), "belongs to no tensor"));
  EXPECT_TRUE(says(refusal(torch_legacy({honest}) + "x"), "1 bytes too many"));
  // 2^61 + 1 elements of 8 bytes make 8 bytes once the product has overflowed.
  std::string wide = pickle::tensor({"w", "Double", {1}, raw<double>({1})}, "0", false);
  wide.replace(wide.find(pickle::integer(1)), 10, pickle::integer((std::int64_t{1} << 61) + 1));
  const std::string dictionary = pickle::program("}(" + pickle::text("w") + wide + "u");
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", dictionary}, {"m/data/0", raw<double>({1})}})), "claims 2305843009213693953"));
}

TEST(TorchCheckpoint, RefusesRepeatedNames) {
  const FileTensor tensor = {"w", "Float", {1}, raw<float>({1})};
  EXPECT_TRUE(says(refusal(torch_zip({tensor, tensor})), "there twice"));
  EXPECT_TRUE(says(refusal(torch_legacy({tensor, tensor})), "there twice"));
  const std::string dictionary = pickle::state_dict({tensor}, false);
  EXPECT_TRUE(
      says(refusal(testing::zip({{"m/data.pkl", dictionary}, {"m/data/0", tensor.data}, {"m/data/0", tensor.data}})), "there twice"));
}

TEST(TorchCheckpoint, RefusesWhatIsNoStateDictionary) {
  EXPECT_TRUE(says(refusal(testing::zip({{"readme.txt", "hello"}})), "no data.pkl"));
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", pickle::program("]")}})), "no dictionary"));
  EXPECT_TRUE(says(refusal(testing::zip({{"m/data.pkl", pickle::program("}")}, {"m/byteorder", "big"}})), "big-endian"));
  EXPECT_TRUE(says(refusal(pickle::program("}")), "no PyTorch checkpoint"));
  EXPECT_TRUE(says(refusal(""), "not a checkpoint"));
  EXPECT_TRUE(says(refusal("hello, world\n"), "not a checkpoint"));
  EXPECT_TRUE(says(refusal(std::string(3, '\0')), "not a checkpoint"));
}

TEST(TorchCheckpoint, RefusesCompressedAndDisplacedZipEntries) {
  const std::string good = torch_zip({{"w", "Float", {1}, raw<float>({1})}});
  const std::size_t header = good.find("PK\x01\x02");
  std::string bytes = good;
  bytes[header + 10] = 8;  // deflate
  EXPECT_TRUE(says(refusal(bytes), "compressed"));
  bytes = good;
  bytes[header + 8] = 1;
  EXPECT_TRUE(says(refusal(bytes), "encrypted"));
  bytes = good;
  bytes[header + 42] = 1;  // offset of the local header
  EXPECT_TRUE(says(refusal(bytes), "not where the directory says"));
  bytes = good;
  bytes.replace(header + 20, 8, testing::little(0x7fffffff, 4) + testing::little(0x7fffffff, 4));
  EXPECT_TRUE(says(refusal(bytes), "runs into the directory"));
  bytes = good;
  bytes.replace(bytes.size() - 12, 2, testing::little(60000, 2));  // entries
  EXPECT_TRUE(says(refusal(bytes), "60000 entries"));
}

TEST(Checkpoint, UnreadableFilesAreInputErrors) {
  const TemporaryFolder folder;
  EXPECT_THROW(open_checkpoint(folder.path("absent.pth")), IoError);
  EXPECT_THROW(open_checkpoint(folder.path("")), IoError);  // the folder itself
  EXPECT_THROW(open_checkpoint("/dev/null"), IoError);
}

}  // namespace
}  // namespace impasto
