// Pictures that C++ and Python (tests/golden/pictures.py) make bit for bit alike, and digests of large arrays.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "impasto/image.h"

namespace impasto::golden {

// Value noise in four octaves, contrast doubled and clipped, so that it has flat, smooth and rough places: height * width * 3 bytes.
std::vector<std::uint8_t> synthetic(int seed, int width, int height);
// Flat areas in up to eight colours, divided by an upright, a level and a slanting edge: windows of equal values.
std::vector<std::uint8_t> poster(int width, int height);
// One colour.
std::vector<std::uint8_t> flat(int width, int height);

// Byte v becomes float(v) / 255.0f.
Image to_image(std::span<const std::uint8_t> bytes, int width, int height);

// sum of word_i (2 i + 1) modulo 2^64 over all words passed to add(): enough to notice another file, not an adversary.
class Checksum {
 public:
  void add(std::span<const std::uint8_t> bytes);
  // The 32 bits of each number are a word.
  void add(std::span<const float> numbers);
  std::uint64_t value() const { return sum_; }

 private:
  void add_word(std::uint64_t word) { sum_ += word * (2 * count_++ + 1); }

  std::uint64_t sum_ = 0;
  std::uint64_t count_ = 0;
};

// Inner products with `probes` (a multiple of 64) fixed vectors of signs: element i of probe 64 b + k has the sign of bit k of
// splitmix64(4 i + b). For the difference d of two gradients, the mean of the squared products of d is |d|^2 with a relative standard
// deviation of sqrt(2 / probes).
std::vector<double> sketch(std::span<const double> gradient, int probes);

}  // namespace impasto::golden
