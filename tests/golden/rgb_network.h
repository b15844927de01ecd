// Oxford's filters as a network in torchvision's convention: RGB, 0..1, ImageNet mean and standard deviation.
#pragma once

#include <string>

#include "engine/weight_store.h"

namespace impasto::golden {

// Writes the weight file that rgb_network() of tests/golden/make_goldens.py describes, the same to the bit. oxford: BGR, 0..255.
// Throws std::runtime_error when the file cannot be written.
void write_rgb_network(const WeightStore& oxford, const std::string& path);

}  // namespace impasto::golden
