// Small weight files with whole-sized datasets: every number is HDF5's fill value, so nothing is stored. All filters average their input,
// so that features keep the size of pixels.
#pragma once

#include <string>

namespace impasto::test {

struct WeightFile {
  std::string architecture = "vgg19";
  int format_version = 1;
  // 255: as the Oxford network; 1: as torchvision's.
  double input_scale = 255;
  bool nan_in_conv3_2 = false;
  // conv4_1 gets 511 instead of 512 filters.
  bool wrong_shape = false;
  bool without_conv5_1 = false;
};

void write_weight_file(const std::string& path, const WeightFile& options = {});

// A good one, written once per test program. It opens in a fraction of the time that making an untrained network takes.
const std::string& averaging_weights();

}  // namespace impasto::test
