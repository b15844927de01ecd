// How pixels become the network's input and back.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "impasto/image.h"

namespace impasto {

// Input channel k is (input_scale * p[channel[k]] - mean[k]) / std[k] for a pixel p in 0..1, RGB.  (weights_converter/FORMAT.md)
struct NetworkInput {
  std::array<int, 3> channel = {2, 1, 0};
  double input_scale = 255;
  std::array<double, 3> mean = {103.939, 116.779, 123.68};
  std::array<double, 3> std = {1, 1, 1};

  // One unit of the input, averaged over channels, in grey levels of 0..255.
  double grey_levels_per_unit() const { return 255.0 / input_scale * (std[0] + std[1] + std[2]) / 3; }
};

// The picture as network input, 3 h w numbers, channel by channel. Throws ShapeError when pixels do not fill width x height or one is not
// finite.
std::vector<double> preprocess(const Image& image, const NetworkInput& input);

// The inverse, to float. input: 3 height width numbers.
Image postprocess(std::span<const double> input_values, int width, int height, const NetworkInput& input);

// Turns dL/d input (channel by channel) into dL/d pixels (interleaved RGB).
std::vector<double> pixel_gradient(std::span<const double> input_gradient, int width, int height, const NetworkInput& input);

// Gaussian noise with mean 0 and a standard deviation of kNoiseGreyLevels: a start that favours no picture. A function of seed and index
// alone.
std::vector<double> noise(std::int64_t size, std::uint64_t seed, const NetworkInput& input);

// Wide enough that ReLUs see both signs everywhere, narrow enough to stay among the pictures the network was trained on (whose standard
// deviation is 58 grey levels).
inline constexpr double kNoiseGreyLevels = 30;

}  // namespace impasto
