#include "tools/samples/canvas.h"

#include <algorithm>

namespace impasto::samples {

namespace {

std::uint64_t scramble(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// In [-1, 1), from the lattice point alone.
float lattice(int x, int y, std::uint32_t seed) {
  const std::uint64_t key = (std::uint64_t{static_cast<std::uint32_t>(x)} << 32) | static_cast<std::uint32_t>(y);
  return static_cast<float>(scramble(key + 0x9e3779b97f4a7c15u * (seed + 1)) >> 40) * (2.0f / (1 << 24)) - 1.0f;
}

}  // namespace

std::uint64_t Random::bits() {
  state_ += 0x9e3779b97f4a7c15u;
  return scramble(state_);
}

float Random::between(float low, float high) {
  const float unit = static_cast<float>(bits() >> 40) / (1 << 24);
  return low + (high - low) * unit;
}

float noise(float x, float y, std::uint32_t seed) {
  const float fx = std::floor(x);
  const float fy = std::floor(y);
  const int ix = static_cast<int>(fx);
  const int iy = static_cast<int>(fy);
  const float tx = smoothstep(0.0f, 1.0f, x - fx);
  const float ty = smoothstep(0.0f, 1.0f, y - fy);
  return mix(mix(lattice(ix, iy, seed), lattice(ix + 1, iy, seed), tx), mix(lattice(ix, iy + 1, seed), lattice(ix + 1, iy + 1, seed), tx),
             ty);
}

float fractal_noise(float x, float y, int octaves, std::uint32_t seed) {
  float sum = 0.0f;
  float height = 0.5f;
  for (int octave = 0; octave < octaves; ++octave) {
    sum += height * noise(x, y, seed + static_cast<std::uint32_t>(octave));
    x *= 2.0f;
    y *= 2.0f;
    height *= 0.5f;
  }
  return sum;
}

Canvas::Canvas(int width, int height)
    : width_(width), height_(height), samples_(static_cast<std::size_t>(width) * height * kSamples * kSamples) {}

void Canvas::paint(float left, float top, float right, float bottom, const Shader& shader) {
  const int columns = width_ * kSamples;
  const int rows = height_ * kSamples;
  const int x0 = std::max(0, static_cast<int>(std::floor(left * kSamples)));
  const int y0 = std::max(0, static_cast<int>(std::floor(top * kSamples)));
  const int x1 = std::min(columns, static_cast<int>(std::ceil(right * kSamples)));
  const int y1 = std::min(rows, static_cast<int>(std::ceil(bottom * kSamples)));
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) {
      const Paint laid = shader((x + 0.5f) / kSamples, (y + 0.5f) / kSamples);
      if (laid.alpha <= 0.0f) continue;
      Colour& sample = samples_[static_cast<std::size_t>(y) * columns + x];
      sample = mix(sample, laid.colour, laid.alpha);
    }
  }
}

Colour Canvas::at(float x, float y) const {
  const int column = std::clamp(static_cast<int>(std::floor(x * kSamples)), 0, width_ * kSamples - 1);
  const int row = std::clamp(static_cast<int>(std::floor(y * kSamples)), 0, height_ * kSamples - 1);
  return samples_[static_cast<std::size_t>(row) * width_ * kSamples + column];
}

Image Canvas::finish() const {
  Image image;
  image.width = width_;
  image.height = height_;
  image.pixels.reserve(static_cast<std::size_t>(width_) * height_ * 3);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      Colour sum;
      for (int sy = 0; sy < kSamples; ++sy) {
        const Colour* row = &samples_[(static_cast<std::size_t>(y) * kSamples + sy) * width_ * kSamples + std::size_t{kSamples} * x];
        for (int sx = 0; sx < kSamples; ++sx) sum = sum + row[sx];
      }
      const Colour mean = sum * (1.0f / (kSamples * kSamples));
      for (const float channel : {mean.r, mean.g, mean.b}) image.pixels.push_back(clamp01(channel));
    }
  }
  return image;
}

}  // namespace impasto::samples
