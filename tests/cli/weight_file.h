// Small weight files with whole-sized datasets: every number is HDF5's fill value, so nothing is stored.
#pragma once

#include <string>

namespace impasto::test {

struct WeightFile {
  std::string architecture = "vgg19";
  int format_version = 1;
  // 255: as the Oxford network; 1: as torchvision's.
  double input_scale = 255;
  // Filters that average their input: features keep the size of pixels.
  bool nan_in_conv3_2 = false;
  // conv4_1 gets 511 instead of 512 filters.
  bool wrong_shape = false;
  bool without_conv5_1 = false;
};

void write_weight_file(const std::string& path, const WeightFile& options = {});

}  // namespace impasto::test
