// Writes the HDF5 file of FORMAT.md.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "weights_converter/known_checkpoints.h"
#include "weights_converter/vgg19.h"

namespace impasto {

struct WeightFileContent {
  std::vector<ConvWeights> layers;  // in the order of kVgg19Convolutions
  Preparation preparation;
  std::string source;
  std::string source_sha256;
  bool float16 = false;  // weights, not biases, as binary16
};

// The bytes of the file; the same content gives the same bytes. Throws WeightError where a weight is beyond binary16's range, Error where
// HDF5 fails.
std::vector<std::byte> weight_file_bytes(const WeightFileContent& content);

// Writes a file whole or not at all: to a temporary beside the target, flushed to disk, renamed. Replaces a regular file of that name,
// nothing else. Throws IoError and leaves nothing.
void write_file_whole(const std::string& path, const std::vector<std::byte>& bytes);

// ||half(w) - w|| / ||w||: what rounding a layer's weights to binary16 costs. 0 for weights that are all zero.
double float16_error(const std::vector<float>& weights);

// Nearest binary16, ties to even; overflows to infinity.
std::uint16_t float_to_half(float value);

}  // namespace impasto
