// The network as a table: the convolutional part of VGG19 ("configuration E" of Simonyan & Zisserman 2015).
#pragma once

#include <array>
#include <string>

namespace impasto {

// A 3x3 convolution followed by ReLU and, where pool_after is set, 2x2 pooling.
struct ConvLayer {
  const char* name;
  int in_channels;
  int out_channels;
  bool pool_after;
};

inline constexpr std::array<ConvLayer, 16> kVgg19 = {{
    {"conv1_1", 3, 64, false},
    {"conv1_2", 64, 64, true},
    {"conv2_1", 64, 128, false},
    {"conv2_2", 128, 128, true},
    {"conv3_1", 128, 256, false},
    {"conv3_2", 256, 256, false},
    {"conv3_3", 256, 256, false},
    {"conv3_4", 256, 256, true},
    {"conv4_1", 256, 512, false},
    {"conv4_2", 512, 512, false},
    {"conv4_3", 512, 512, false},
    {"conv4_4", 512, 512, true},
    {"conv5_1", 512, 512, false},
    {"conv5_2", 512, 512, false},
    {"conv5_3", 512, 512, false},
    {"conv5_4", 512, 512, false},
}};

// A place to read features: after kVgg19[layer]'s convolution (convN_M) or after its ReLU (reluN_M).
struct Tap {
  int layer = 0;
  bool rectified = true;

  bool operator==(const Tap&) const = default;
};

// "relu4_2" -> {9, true}. Throws OptionError for a name that is not a layer.
Tap tap_named(const std::string& name);

}  // namespace impasto
