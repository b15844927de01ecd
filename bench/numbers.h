// What benchmarks compute with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace impasto {

// Numbers of both signs without structure: a linear congruential sequence in [-1, 1), the same each time.
inline std::vector<double> numbers(std::int64_t count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::uint32_t state = 12345;
  for (double& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<double>(state >> 8) / (1 << 23) - 1.0;
  }
  return values;
}

}  // namespace impasto
