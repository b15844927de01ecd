// Whole networks, from each published format to our file and back.
#include "weights_converter/convert.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "vgg19_network.h"
#include "weights_converter/sha256.h"

namespace impasto {
namespace {

using testing::FileTensor;
using testing::raw;
using testing::TemporaryFolder;

// Our file read by plain HDF5 calls, as FORMAT.md describes it.
class WeightFile {
 public:
  explicit WeightFile(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {}
  ~WeightFile() { H5Fclose(file_); }
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;

  std::string text(const char* name) const {
    const hid_t attribute = H5Aopen(file_, name, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    EXPECT_EQ(H5Tget_cset(type), H5T_CSET_UTF8) << name;
    std::string value(H5Tget_size(type), '\0');
    H5Aread(attribute, type, value.data());
    H5Tclose(type);
    H5Aclose(attribute);
    return value;
  }
  std::vector<double> numbers(const std::string& object, const char* name) const {
    const hid_t attribute = H5Aopen_by_name(file_, object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Aget_space(attribute);
    std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    EXPECT_GE(H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()), 0) << name;
    H5Sclose(space);
    H5Aclose(attribute);
    return values;
  }
  std::vector<float> values(const std::string& path, const std::vector<hsize_t>& shape, std::size_t element_bytes) const {
    const hid_t dataset = H5Dopen2(file_, path.c_str(), H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    const hid_t type = H5Dget_type(dataset);
    EXPECT_EQ(H5Tget_size(type), element_bytes) << path;
    std::vector<hsize_t> sizes(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    EXPECT_EQ(sizes, shape) << path;
    std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    EXPECT_GE(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0) << path;
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
  }

 private:
  hid_t file_;
};

// expected(layer) gives a layer's weights.
template <class Expected>
void expect_file(const std::string& path, std::size_t weight_bytes, const Expected& expected) {
  const WeightFile file(path);
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) {
    const ConvShape& shape = kVgg19Convolutions[i];
    const auto outputs = static_cast<hsize_t>(shape.outputs);
    const std::string group = std::string("/") + shape.name;
    EXPECT_TRUE(file.values(group + "/weight", {outputs, static_cast<hsize_t>(shape.inputs), 3, 3}, weight_bytes) == expected(i)) << group;
    EXPECT_TRUE(file.values(group + "/bias", {outputs}, 4) == testing::made_up_values(i, true)) << group;
  }
}

std::vector<float> made_up_weights(std::size_t layer) { return testing::made_up_values(layer, false); }

std::string convert(const std::string& input, const std::string& output, const ConvertOptions& options = {}) {
  const Conversion conversion = convert_checkpoint(input, options);
  EXPECT_FALSE(conversion.verified);
  write_file_whole(output, weight_file_bytes(conversion.content));
  return output;
}

TEST(Convert, TorchvisionZip) {
  const TemporaryFolder folder;
  const std::string input = folder.write("a.pth", testing::torch_zip(testing::torchvision_tensors()));
  const std::string output = convert(input, folder.path("a.h5"));
  expect_file(output, 4, made_up_weights);
  const WeightFile file(output);
  EXPECT_EQ(file.text("architecture"), "vgg19");
  EXPECT_EQ(file.text("source"), "a.pth, unverified");
  EXPECT_EQ(file.text("source_sha256"), sha256_file(input));
  EXPECT_EQ(file.text("channel_order"), "RGB");
  EXPECT_NE(file.text("licence").find("BSD-3-Clause"), std::string::npos);
  EXPECT_EQ(file.numbers("/", "format_version"), std::vector<double>{1});
  EXPECT_EQ(file.numbers("/", "input_scale"), std::vector<double>{1});
  EXPECT_EQ(file.numbers("/", "mean"), (std::vector<double>{0.485, 0.456, 0.406}));
  EXPECT_EQ(file.numbers("/", "std"), (std::vector<double>{0.229, 0.224, 0.225}));
}

TEST(Convert, KerasHdf5) {
  const TemporaryFolder folder;
  testing::write_keras(folder.path("a-keras.h5"), {});
  const std::string output = convert(folder.path("a-keras.h5"), folder.path("a.h5"));
  expect_file(output, 4, made_up_weights);
  const WeightFile file(output);
  EXPECT_EQ(file.text("channel_order"), "BGR");
  EXPECT_EQ(file.numbers("/", "input_scale"), std::vector<double>{255});
  EXPECT_EQ(file.numbers("/", "mean"), (std::vector<double>{103.939, 116.779, 123.68}));
  EXPECT_EQ(file.numbers("/", "std"), (std::vector<double>{1, 1, 1}));
  EXPECT_NE(file.text("licence").find("CC BY 4.0"), std::string::npos);
}

// A byte per weight, looked up in a table; and binary16 output, which holds these values exactly.
TEST(Convert, PasticheToFloat16) {
  const auto table_value = [](std::size_t layer, std::size_t index) { return testing::made_up_value(layer, false, index); };
  const auto index_of = [](std::size_t layer, std::size_t element) {
    return static_cast<std::uint8_t>(element * 7 + layer + (element >> 9));
  };
  std::vector<FileTensor> tensors;
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) {
    const ConvShape& shape = kVgg19Convolutions[i];
    std::string indices(static_cast<std::size_t>(shape.outputs * shape.inputs * 9), '\0');
    for (std::size_t k = 0; k < indices.size(); ++k) indices[k] = static_cast<char>(index_of(i, k));
    std::vector<float> table(256);
    for (std::size_t k = 0; k < table.size(); ++k) table[k] = table_value(i, k);
    tensors.push_back({testing::keras_name(i) + "_W_q", "Byte", {shape.outputs, shape.inputs, 3, 3}, indices});
    tensors.push_back({testing::keras_name(i) + "_W_table", "Float", {256}, raw(table)});
    tensors.push_back({testing::keras_name(i) + "_b", "Float", {shape.outputs}, raw(testing::made_up_values(i, true))});
  }
  const TemporaryFolder folder;
  const std::string output = convert(folder.write("a.bin", testing::torch_legacy(tensors)), folder.path("a.h5"), {.float16 = true});
  expect_file(output, 2, [&](std::size_t layer) {
    std::vector<float> values = testing::made_up_values(layer, false);
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = table_value(layer, index_of(layer, k));
    return values;
  });
  const WeightFile file(output);
  EXPECT_EQ(file.text("channel_order"), "BGR");
  EXPECT_EQ(file.numbers("/conv3_1/weight", "relative_l2_error"), std::vector<double>{0});
}

TEST(Convert, TheNetworkMustBeKnown) {
  std::vector<FileTensor> tensors = testing::torchvision_tensors();
  tensors.pop_back();
  for (std::size_t i = 0; i < tensors.size(); ++i)
    tensors[i].name = std::string(kVgg19Convolutions[i / 2].name) + (i % 2 ? ".bias" : ".weight");
  const TemporaryFolder folder;
  const std::string input = folder.write("a.safetensors", testing::safetensors(tensors));
  EXPECT_THROW(convert_checkpoint(input, {}), OptionError);
  EXPECT_STREQ(convert_checkpoint(input, {.network = Network::kOxford}).content.preparation.network, "oxford");
  EXPECT_STREQ(convert_checkpoint(input, {.network = Network::kTorchvision}).content.preparation.network, "torchvision");
}

TEST(Convert, ChecksumsAreChecked) {
  const TemporaryFolder folder;
  const std::string input = folder.write("a.pth", testing::torch_zip({{"features.0.weight", "Float", {1}, raw<float>({1})}}));
  std::string digits = sha256_file(input);
  const auto refusal = [&] {
    try {
      convert_checkpoint(input, {.expect_sha256 = digits});
    } catch (const WeightError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal().find("VGG19's is"), std::string::npos) << "past the checksum, refused for its tensors";
  for (char& digit : digits) digit = static_cast<char>(std::toupper(static_cast<unsigned char>(digit)));
  EXPECT_NE(refusal().find("VGG19's is"), std::string::npos);
  digits.front() = digits.front() == '0' ? '1' : '0';
  EXPECT_NE(refusal().find("has the SHA-256"), std::string::npos);
}

TEST(WeightFileBytes, DependOnTheContentAlone) {
  WeightFileContent content = {testing::made_up_network(), preparation(Network::kOxford), "a test", std::string(64, '0'), true};
  const std::vector<std::byte> first = weight_file_bytes(content);
  EXPECT_TRUE(first == weight_file_bytes(content));
  content.layers[3].weight[5] = 65520;
  EXPECT_THROW(weight_file_bytes(content), WeightError);
}

// One flipped bit in the numbers does not go unnoticed.
TEST(WeightFileBytes, CarryAChecksumOfTheirNumbers) {
  const WeightFileContent content = {testing::made_up_network(), preparation(Network::kOxford), "a test", std::string(64, '0')};
  std::vector<std::byte> bytes = weight_file_bytes(content);
  bytes[bytes.size() / 2] ^= std::byte{1};
  const TemporaryFolder folder;
  write_file_whole(folder.path("a.h5"), bytes);
  const hid_t file = H5Fopen(folder.path("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  std::vector<float> values(512 * 512 * 9);
  int failed = 0;
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  for (const ConvShape& shape : kVgg19Convolutions) {
    const hid_t dataset = H5Dopen2(file, (std::string(shape.name) + "/weight").c_str(), H5P_DEFAULT);
    failed += H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0;
    H5Dclose(dataset);
  }
  H5Fclose(file);
  EXPECT_EQ(failed, 1);
}

}  // namespace
}  // namespace impasto
