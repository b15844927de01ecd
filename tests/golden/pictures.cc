#include "tests/golden/pictures.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace impasto::golden {
namespace {

// One output of SplitMix64 [Steele, Lea & Flood 2014] whose counter stands at x.
std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// The byte at a node of an octave's grid.
int lattice(std::uint64_t seed, std::uint64_t octave, std::uint64_t channel, std::uint64_t y, std::uint64_t x) {
  return static_cast<int>(splitmix64((((seed * 8 + octave) * 4 + channel) << 40) + (y << 20) + x) & 255);
}

struct Octave {
  int cell;
  int share;
};
constexpr Octave kOctaves[] = {{32, 4}, {8, 2}, {2, 1}, {1, 1}};

}  // namespace

std::vector<std::uint8_t> synthetic(int seed, int width, int height) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::size_t{3} * width * height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        int total = 0;
        for (int o = 0; o < 4; ++o) {
          const int cell = kOctaves[o].cell;
          const int gy = y / cell, gx = x / cell, fy = y % cell, fx = x % cell;
          const auto node = [&](int dy, int dx) { return lattice(seed, o, channel, gy + dy, gx + dx); };
          const int sum =
              node(0, 0) * (cell - fy) * (cell - fx) + node(0, 1) * (cell - fy) * fx + node(1, 0) * fy * (cell - fx) + node(1, 1) * fy * fx;
          total += kOctaves[o].share * (sum / (cell * cell));
        }
        bytes.push_back(static_cast<std::uint8_t>(std::clamp((total / 8 - 128) * 2 + 128, 0, 255)));
      }
    }
  }
  return bytes;
}

std::vector<std::uint8_t> poster(int width, int height) {
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int area = (3 * x >= width ? 1 : 0) + (2 * y >= height ? 2 : 0) + (2 * (x + y) >= width + height ? 4 : 0);
      for (int channel = 0; channel < 3; ++channel) bytes.push_back(static_cast<std::uint8_t>((73 * area + 101 * channel + 40) % 256));
    }
  }
  return bytes;
}

std::vector<std::uint8_t> flat(int width, int height) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < width * height; ++i) bytes.insert(bytes.end(), {40, 141, 242});
  return bytes;
}

Image to_image(std::span<const std::uint8_t> bytes, int width, int height) {
  Image image{width, height, {}};
  for (const std::uint8_t v : bytes) image.pixels.push_back(static_cast<float>(v) / 255.0f);
  return image;
}

void Checksum::add(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) add_word(byte);
}

void Checksum::add(std::span<const float> numbers) {
  for (const float number : numbers) add_word(std::bit_cast<std::uint32_t>(number));
}

std::vector<double> sketch(std::span<const double> gradient, int probes) {
  std::vector<double> products(probes, 0.0);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    for (int block = 0; block < probes / 64; ++block) {
      const std::uint64_t bits = splitmix64(4 * i + block);
      for (int k = 0; k < 64; ++k) products[64 * block + k] += (bits >> k) & 1 ? -gradient[i] : gradient[i];
    }
  }
  return products;
}

}  // namespace impasto::golden
