#include "engine/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace impasto {
namespace {

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double keys_cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

double lanczos3(double x) { return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }

struct Kernel {
  double radius;
  double (*weight)(double);
};

Kernel kernel_of(Filter filter) {
  switch (filter) {
    case Filter::kBilinear:
      return {1, triangle};
    case Filter::kBicubic:
      return {2, keys_cubic};
    case Filter::kLanczos:
      break;
  }
  return {3, lanczos3};
}

}  // namespace

AxisTaps antialiased_taps(int in, int out, Filter filter) {
  const Kernel kernel = kernel_of(filter);
  const double scale = static_cast<double>(in) / out;
  const double widening = std::max(scale, 1.0);
  const double radius = kernel.radius * widening;
  AxisTaps axis;
  axis.taps.reserve(static_cast<std::size_t>(out));
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = static_cast<int>(std::max(0.0, centre - radius + 0.5));
    const int end = static_cast<int>(std::min(static_cast<double>(in), centre + radius + 0.5));
    weights.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(kernel.weight((x - centre + 0.5) / widening));
      sum += weights.back();
    }
    axis.taps.push_back({first, end - first, axis.weights.size()});
    for (const double weight : weights) axis.weights.push_back(static_cast<float>(weight / sum));
  }
  return axis;
}

AxisTaps interpolating_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  AxisTaps axis;
  axis.taps.reserve(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) {
    const double position = std::clamp((i + 0.5) * scale - 0.5, 0.0, in - 1.0);
    const int first = static_cast<int>(position);
    const double right = position - first;
    const int count = right > 0 ? 2 : 1;
    axis.taps.push_back({first, count, axis.weights.size()});
    axis.weights.push_back(static_cast<float>(1 - right));
    if (count == 2) axis.weights.push_back(static_cast<float>(right));
  }
  return axis;
}

}  // namespace impasto
