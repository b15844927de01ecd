#include "tests/support/random.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace impasto::testing_support {
namespace {

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Output i of the SplitMix64 stream whose start is scrambled from the seed.
std::uint64_t bits(std::uint64_t seed, std::int64_t i) {
  return mix(mix(seed + 0x9e3779b97f4a7c15u) + (static_cast<std::uint64_t>(i) + 1) * 0x9e3779b97f4a7c15u);
}

// In (0, 1).
double unit(std::uint64_t seed, std::int64_t i) { return (static_cast<double>(bits(seed, i) >> 11) + 0.5) * 0x1p-53; }

template <class F>
std::vector<double> sequence(std::int64_t count, F f) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(f(i));
  return values;
}

}  // namespace

std::vector<double> uniform(std::uint64_t seed, std::int64_t count, double low, double high) {
  return sequence(count, [&](std::int64_t i) { return low + (high - low) * unit(seed, i); });
}

std::vector<double> normal(std::uint64_t seed, std::int64_t count, double deviation) {
  return sequence(count, [&](std::int64_t i) {
    return deviation * std::sqrt(-2 * std::log(unit(seed, 2 * i))) * std::cos(2 * std::numbers::pi * unit(seed, 2 * i + 1));
  });
}

std::vector<double> integers(std::uint64_t seed, std::int64_t count, int low, int high) {
  return sequence(count, [&](std::int64_t i) { return low + std::floor(unit(seed, i) * (high - low + 1)); });
}

std::vector<double> shuffled(std::uint64_t seed, std::int64_t count) {
  std::vector<double> values = sequence(count, [](std::int64_t i) { return static_cast<double>(i); });
  for (std::int64_t i = count - 1; i > 0; --i) {
    const auto j = static_cast<std::int64_t>(unit(seed, i) * static_cast<double>(i + 1));
    std::swap(values[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(j)]);
  }
  return values;
}

std::vector<float> narrow(const std::vector<double>& values) { return {values.begin(), values.end()}; }

}  // namespace impasto::testing_support
