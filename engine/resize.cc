#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <string>

#include "engine/resize_taps.h"
#include "impasto/error.h"
#include "impasto/image.h"

namespace impasto {
namespace {

constexpr std::size_t kChannels = 3;

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

// Below 2^64 for any two ints.
std::size_t value_count(int width, int height) { return kChannels * static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }

// A picture with room for its pixels and none yet. std::bad_alloc also where a vector of that length cannot exist.
Image unfilled(int width, int height) {
  Image image{width, height, {}};
  const std::size_t count = value_count(width, height);
  if (count > image.pixels.max_size()) throw std::bad_alloc();
  image.pixels.reserve(count);
  return image;
}

// Rows that the horizontal pass takes together, interleaved, so that its inner loop runs over kRows * kChannels contiguous values.
constexpr std::size_t kRows = 8;
constexpr std::size_t kLanes = kRows * kChannels;

// One strip of kRows rows as (x, channel, row); rows below the picture are left at what they were and never read back.
void load_strip(const Image& image, std::size_t y, std::size_t rows, std::vector<float>& strip) {
  const std::size_t row_length = kChannels * static_cast<std::size_t>(image.width);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* row = image.pixels.data() + (y + r) * row_length;
    for (std::size_t i = 0; i < row_length; ++i) strip[i * kRows + r] = row[i];
  }
}

// Fills out, which has the height of image.
void resize_width(const Image& image, const AxisTaps& axis, Image& out) {
  const int width = out.width;
  out.pixels.resize(value_count(width, out.height));
  std::vector<float> strip(kLanes * static_cast<std::size_t>(image.width));
  const std::size_t height = static_cast<std::size_t>(image.height);
  const std::size_t row_length = kChannels * static_cast<std::size_t>(width);
  for (std::size_t y = 0; y < height; y += kRows) {
    const std::size_t rows = std::min(kRows, height - y);
    load_strip(image, y, rows, strip);
    for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x) {
      const Tap& tap = axis.taps[x];
      const float* weights = axis.weights.data() + tap.offset;
      const float* samples = strip.data() + kLanes * static_cast<std::size_t>(tap.first);
      std::array<float, kLanes> sums{};
      for (int k = 0; k < tap.count; ++k, samples += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += weights[k] * samples[lane];
      }
      for (std::size_t r = 0; r < rows; ++r) {
        float* pixel = out.pixels.data() + (y + r) * row_length + kChannels * x;
        for (std::size_t c = 0; c < kChannels; ++c) pixel[c] = sums[c * kRows + r];
      }
    }
  }
}

// Fills out, which has the width of image.
void resize_height(const Image& image, const AxisTaps& axis, Image& out) {
  // A stretch of a row whose sums stay in the first-level cache (4 KiB) while the input rows pass by.
  constexpr std::size_t kStretch = 1024;
  out.pixels.resize(value_count(out.width, out.height));
  const std::size_t row_length = kChannels * static_cast<std::size_t>(image.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(out.height); ++y) {
    const Tap& tap = axis.taps[y];
    const float* weights = axis.weights.data() + tap.offset;
    const float* first_row = image.pixels.data() + row_length * static_cast<std::size_t>(tap.first);
    float* out_row = out.pixels.data() + row_length * y;
    for (std::size_t start = 0; start < row_length; start += kStretch) {
      const std::size_t length = std::min(kStretch, row_length - start);
      float* sums = out_row + start;
      const float* samples = first_row + start;
      for (int k = 0; k < tap.count; ++k, samples += row_length) {
        for (std::size_t i = 0; i < length; ++i) sums[i] += weights[k] * samples[i];
      }
    }
  }
}

}  // namespace

Image resize(const Image& image, int width, int height, Filter filter, bool antialias) {
  if (image.width < 1 || image.height < 1) {
    throw ShapeError("cannot resize a picture of " + size_text(image.width, image.height) + ": both must be at least 1");
  }
  const std::size_t expected = value_count(image.width, image.height);
  if (image.pixels.size() != expected) {
    throw ShapeError("a picture of " + size_text(image.width, image.height) + " has " + std::to_string(image.pixels.size()) +
                     " values where " + std::to_string(expected) + " are needed");
  }
  if (width < 1 || height < 1) throw ShapeError("cannot resize to " + size_text(width, height) + ": both must be at least 1");
  if (!antialias && filter != Filter::kBilinear) {
    throw OptionError("resizing without antialias is bilinear only, not " +
                      std::string(filter == Filter::kBicubic ? "bicubic" : "Lanczos"));
  }

  const auto taps = [&](int in, int out) { return antialias ? antialiased_taps(in, out, filter) : interpolating_taps(in, out); };
  const bool other_width = width != image.width;
  const bool other_height = height != image.height;
  if (!other_width && !other_height) return image;

  // The result's memory is asked for first: a size that cannot be is refused before any work.
  Image out = unfilled(width, height);
  if (!other_height) {
    resize_width(image, taps(image.width, width), out);
  } else if (!other_width) {
    resize_height(image, taps(image.height, height), out);
  } else if (static_cast<double>(width) * image.height <= static_cast<double>(image.width) * height) {
    // The order with the smaller picture in between.
    Image between = unfilled(width, image.height);
    resize_width(image, taps(image.width, width), between);
    resize_height(between, taps(image.height, height), out);
  } else {
    Image between = unfilled(image.width, height);
    resize_height(image, taps(image.height, height), between);
    resize_width(between, taps(image.width, width), out);
  }
  return out;
}

}  // namespace impasto
