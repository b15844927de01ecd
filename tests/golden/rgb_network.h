// Oxford's filters as a network in torchvision's convention: RGB, 0..1, ImageNet mean and standard deviation.
#pragma once

#include <string>

namespace impasto::golden {

// Writes the weight file that rgb_network() of tests/golden/make_goldens.py describes, the same to the bit. oxford: the file of
// a network that reads BGR, 0..255. Throws WeightError, and std::runtime_error when the file cannot be written.
void write_rgb_network(const std::string& oxford, const std::string& path);

}  // namespace impasto::golden
