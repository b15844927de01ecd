// What the sample pictures are drawn with: a float canvas, repeatable random numbers and noise.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "impasto/image.h"

namespace impasto::samples {

struct Colour {
  float r = 0;
  float g = 0;
  float b = 0;
};

struct Point {
  float x = 0;
  float y = 0;
};

inline Colour operator+(Colour a, Colour b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
inline Colour operator*(Colour a, float s) { return {a.r * s, a.g * s, a.b * s}; }
inline Colour mix(Colour a, Colour b, float t) { return a * (1.0f - t) + b * t; }
inline float mix(float a, float b, float t) { return a + (b - a) * t; }
inline float clamp01(float v) { return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v; }
// 0 below a, 1 above b, a smooth cubic between.
inline float smoothstep(float a, float b, float v) {
  const float t = clamp01((v - a) / (b - a));
  return t * t * (3.0f - 2.0f * t);
}

// SplitMix64 [Steele, Lea & Flood 2014]: the same numbers on every machine, which std::uniform_real_distribution does not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits();
  // Uniform in [low, high).
  float between(float low, float high);
  int index(int size) { return static_cast<int>(bits() % static_cast<std::uint64_t>(size)); }

 private:
  std::uint64_t state_;
};

// Smooth noise in [-1, 1] with features about one unit wide, and a sum of `octaves` of it, each of half the size and half the height.
float noise(float x, float y, std::uint32_t seed);
float fractal_noise(float x, float y, int octaves, std::uint32_t seed);

// A picture in the units of its final size; every pixel of it is kSamples x kSamples pixels of the canvas, averaged by finish().
class Canvas {
 public:
  static constexpr int kSamples = 3;

  // Fills with black.
  Canvas(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  struct Paint {
    Colour colour;
    float alpha = 1.0f;
  };
  // Called with the centre of each sample inside a box; returns what is laid over the sample there.
  using Shader = std::function<Paint(float x, float y)>;
  void paint(float left, float top, float right, float bottom, const Shader& shader);

  // The sample nearest to (x, y), borders repeated.
  Colour at(float x, float y) const;

  Image finish() const;

 private:
  int width_;
  int height_;
  std::vector<Colour> samples_;
};

}  // namespace impasto::samples
