// The sixteen convolutions of VGG19, gathered from a checkpoint under whichever names it uses.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "weights_converter/checkpoint.h"

namespace impasto {

struct ConvShape {
  const char* name;  // the paper's: "conv1_1"
  std::int64_t inputs;
  std::int64_t outputs;
  int torchvision_index;  // of torchvision's vgg19().features
};

inline constexpr std::array<ConvShape, 16> kVgg19Convolutions = {{
    {"conv1_1", 3, 64, 0},
    {"conv1_2", 64, 64, 2},  //
    {"conv2_1", 64, 128, 5},
    {"conv2_2", 128, 128, 7},  //
    {"conv3_1", 128, 256, 10},
    {"conv3_2", 256, 256, 12},
    {"conv3_3", 256, 256, 14},
    {"conv3_4", 256, 256, 16},  //
    {"conv4_1", 256, 512, 19},
    {"conv4_2", 512, 512, 21},
    {"conv4_3", 512, 512, 23},
    {"conv4_4", 512, 512, 25},  //
    {"conv5_1", 512, 512, 28},
    {"conv5_2", 512, 512, 30},
    {"conv5_3", 512, 512, 32},
    {"conv5_4", 512, 512, 34},  //
}};

struct ConvWeights {
  std::vector<float> weight;  // (outputs, inputs, 3, 3)
  std::vector<float> bias;    // (outputs)
};

// Whose names the tensors bear. It tells the network apart for all but kPaper.
enum class Naming {
  kTorchvision,  // features.N.weight
  kKeras,        // blockN_convM/kernel
  kPastiche,     // blockN_convM_W_q and _W_table: a byte per weight, looked up in 256 values
  kPaper,        // convN_M.weight: says nothing of the network
};

// Throws WeightError where the names are none of these.
Naming recognise_naming(const Checkpoint& checkpoint, const std::string& path);

// In the order of kVgg19Convolutions. Throws WeightError where a tensor is missing, has another shape or type than VGG19's, is not VGG19's
// at all (classifier layers are passed over), or holds a value that is not finite.
std::vector<ConvWeights> gather_vgg19(const Checkpoint& checkpoint, Naming naming, const std::string& path);

}  // namespace impasto
