// Random numbers as a pure function of (seed, index): the same on every machine, in any order, for any number of threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace impasto {

// SplitMix64's output function on a Weyl sequence.                                                          [Steele, Lea & Flood 2014]
inline std::uint64_t counter_bits(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Uniform in (0, 1).
inline double counter_uniform(std::uint64_t seed, std::uint64_t index) {
  return (static_cast<double>(counter_bits(seed, index) >> 11) + 0.5) * 0x1p-53;
}

// Standard normal, by Box and Muller's transform of two uniforms.
inline double counter_normal(std::uint64_t seed, std::uint64_t index) {
  const double radius = std::sqrt(-2.0 * std::log(counter_uniform(seed, 2 * index)));
  return radius * std::cos(2.0 * std::numbers::pi * counter_uniform(seed, 2 * index + 1));
}

}  // namespace impasto
