// A whole VGG19 of made-up numbers, for the checks that need one.
#pragma once

#include <string>
#include <vector>

#include "checkpoint_files.h"
#include "weights_converter/checkpoint.h"
#include "weights_converter/vgg19.h"

namespace impasto::testing {

// Element of a layer's weights or bias: a multiple of 1/1024 below 1 in size, so that float16 holds it exactly. Differs from its
// neighbours.
float made_up_value(std::size_t layer, bool is_bias, std::size_t index);
std::vector<float> made_up_values(std::size_t layer, bool is_bias);
std::vector<ConvWeights> made_up_network();

// "features.0.weight"
std::string torchvision_name(std::size_t layer, bool is_bias);
// The whole network as torchvision names it, and a classifier layer that holds a NaN.
std::vector<FileTensor> torchvision_tensors();
// "block1_conv1"
std::string keras_name(std::size_t layer);

// A Keras file of one or more layers. kernel_name and bias_name follow the group's name: "block1_conv1_W_1:0", or "block1_conv1/kernel:0".
// # stands for the layer's name. first_kernel replaces the shape (row, column, input, output) of the first layer's kernel.
struct KerasFile {
  std::string kernel_name = "#_W_1:0";
  std::string bias_name = "#_b_1:0";
  std::string root = "/";
  std::size_t layers = 16;
  std::vector<std::uint64_t> first_kernel = {};
  bool extra_kernel = false;
};
void write_keras(const std::string& path, const KerasFile& content);

// Answers for a checkpoint without a file.
class MadeUpCheckpoint : public Checkpoint {
 public:
  explicit MadeUpCheckpoint(Naming naming);
  std::vector<float> read(const Tensor& tensor) const override;

  std::vector<Tensor>& edit() { return tensors_; }
  // read() gives this value in one element.
  void plant(const std::string& name, std::size_t index, float value);

 private:
  Naming naming_;
  std::string planted_name_;
  std::size_t planted_index_ = 0;
  float planted_value_ = 0;
};

}  // namespace impasto::testing
