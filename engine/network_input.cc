#include "engine/network_input.h"

#include <cmath>
#include <cstddef>
#include <string>

#include "engine/counter_random.h"
#include "impasto/error.h"

namespace impasto {
namespace {

void check(const Image& image) {
  const std::string size = std::to_string(image.width) + "x" + std::to_string(image.height);
  if (image.width < 1 || image.height < 1) throw ShapeError("a picture of " + size + " pixels is empty; at least 1x1 is needed");
  const std::size_t expected = std::size_t{3} * image.width * image.height;
  if (image.pixels.size() != expected) {
    throw ShapeError("a picture of " + size + " pixels has " + std::to_string(image.pixels.size()) + " values; expected " +
                     std::to_string(expected) + " (3 per pixel)");
  }
  for (const float p : image.pixels) {
    if (!std::isfinite(p))
      throw ShapeError("a picture of " + size + " pixels holds a value that is not finite; expected numbers around 0..1");
  }
}

}  // namespace

std::vector<double> preprocess(const Image& image, const NetworkInput& input) {
  check(image);
  const std::size_t plane = static_cast<std::size_t>(image.width) * image.height;
  std::vector<double> values(3 * plane);
  for (int k = 0; k < 3; ++k) {
    for (std::size_t i = 0; i < plane; ++i) {
      const double p = image.pixels[3 * i + input.channel[k]];
      values[k * plane + i] = (input.input_scale * p - input.mean[k]) / input.std[k];
    }
  }
  return values;
}

Image postprocess(std::span<const double> input_values, int width, int height, const NetworkInput& input) {
  const std::size_t plane = static_cast<std::size_t>(width) * height;
  Image image{width, height, std::vector<float>(3 * plane)};
  for (int k = 0; k < 3; ++k) {
    for (std::size_t i = 0; i < plane; ++i) {
      const double p = (input_values[k * plane + i] * input.std[k] + input.mean[k]) / input.input_scale;
      image.pixels[3 * i + input.channel[k]] = static_cast<float>(p);
    }
  }
  return image;
}

std::vector<double> pixel_gradient(std::span<const double> input_gradient, int width, int height, const NetworkInput& input) {
  const std::size_t plane = static_cast<std::size_t>(width) * height;
  std::vector<double> gradient(3 * plane);
  for (std::size_t i = 0; i < plane; ++i) {
    for (int k = 0; k < 3; ++k) {
      const double units_per_pixel_value = input.input_scale / input.std[k];
      gradient[3 * i + input.channel[k]] = input_gradient[k * plane + i] * units_per_pixel_value;
    }
  }
  return gradient;
}

std::vector<double> noise(std::int64_t size, std::uint64_t seed, const NetworkInput& input) {
  std::vector<double> values(size);
  const double deviation = kNoiseGreyLevels / input.grey_levels_per_unit();
  for (std::int64_t i = 0; i < size; ++i) values[i] = deviation * counter_normal(seed, i);
  return values;
}

}  // namespace impasto
