// The numbers of one VGG19, layer by layer, from a file or drawn.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/network_input.h"
#include "engine/vgg19.h"
#include "impasto/session.h"

namespace impasto {

// Takes kVgg19[layer]'s filters (out, in, 3, 3) and biases (out), which live only until it returns: 80 MB need not be held twice.
using TakeLayer = std::function<void(int layer, const std::vector<float>& weight, const std::vector<float>& bias)>;

struct NetworkHeader {
  NetworkInput input;
  NetworkInfo info;
};

// Reads and verifies a file laid out as weights_converter/FORMAT.md says and hands over its layers in order. Throws WeightError naming the
// file and what is wrong, possibly after some layers.
NetworkHeader read_weights(const std::string& path, const TakeLayer& take);

// Random filters for where no weights can be had: He's variance with each filter's mean removed, a gain per layer that keeps the RMS of
// activations near 1, no biases. Plain He filters would all see brightness only: the mean pairwise cosine of features at relu5_1 is 0.95,
// 0.40 with the means removed.
NetworkHeader draw_untrained_weights(std::uint64_t seed, const TakeLayer& take);

}  // namespace impasto
