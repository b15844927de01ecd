// The filters of one VGG19 and what its file says of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/network_input.h"
#include "engine/vgg19.h"
#include "impasto/session.h"

namespace impasto {

// Immutable after construction; owns its numbers.
class WeightStore {
 public:
  // Reads and verifies a file laid out as weights_converter/FORMAT.md says. Throws WeightError naming the file and what is wrong.
  static WeightStore open(const std::string& path);

  // Random filters for where no weights can be had: He's variance with each filter's mean removed, a gain per layer that keeps the RMS of
  // activations near 1, no biases. Plain He filters would all see brightness only: the mean pairwise cosine of features at relu5_1 is 0.95,
  // 0.40 with the means removed.
  static WeightStore untrained(std::uint64_t seed);

  // (out, in, 3, 3) and (out) of kVgg19[layer].
  const std::vector<float>& weight(int layer) const { return layers_[layer].weight; }
  const std::vector<float>& bias(int layer) const { return layers_[layer].bias; }
  const NetworkInput& input() const { return input_; }
  const NetworkInfo& info() const { return info_; }

 private:
  struct Layer {
    std::vector<float> weight;
    std::vector<float> bias;
  };
  std::array<Layer, kVgg19.size()> layers_;
  NetworkInput input_;
  NetworkInfo info_;
};

}  // namespace impasto
