// Reproducible numbers: element i of a sequence is a function of the seed and i alone (SplitMix64, Steele et al. 2014), the same on
// every machine up to the last bit of log and cos. Every value is exact in float32, so that a float backend and the double
// reference can be given the very same input.
#pragma once

#include <cstdint>
#include <vector>

namespace impasto::testing_support {

// Uniform in [low, high].
std::vector<double> uniform(std::uint64_t seed, std::int64_t count, double low, double high);

// Normal with mean 0.
std::vector<double> normal(std::uint64_t seed, std::int64_t count, double deviation = 1.0);

// Uniform among low, low + 1, ..., high.
std::vector<double> integers(std::uint64_t seed, std::int64_t count, int low, int high);

// 0 .. count-1 in random order.
std::vector<double> shuffled(std::uint64_t seed, std::int64_t count);

std::vector<float> narrow(const std::vector<double>& values);

}  // namespace impasto::testing_support
