// The index that half-sample mirroring gives i on a line of n: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ...
#pragma once

#include <cstdint>

namespace impasto::cpu {

// static: each translation unit keeps its own copy, compiled for its own instruction set (see simd.h).
static inline std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  // Of one fold at most, without divisions, which would take more time than all else.
  if (i >= -n && i < 2 * n) return i < 0 ? -1 - i : i < n ? i : 2 * n - 1 - i;
  const std::int64_t period = 2 * n;
  const std::int64_t in_period = ((i % period) + period) % period;
  return in_period < n ? in_period : period - 1 - in_period;
}

}  // namespace impasto::cpu
