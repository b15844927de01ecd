// What bench/peaks_bench.cc times, compiled once per instruction set.
#pragma once

#include <cstdint>

namespace impasto::cpu {

// Floats that a vector of any instruction set has at most.
constexpr int kMostLanes = 16;

struct Peaks {
  // Multiply-adds between registers, `steps` times as many as hide their latency. Returns the floating-point operations done. `sink` takes
  // kMostLanes floats that depend on all of them, aligned to a vector.
  double (*multiply_adds)(int steps, float factor, float term, float* sink);
  // Reads `size` floats, a multiple of 128, aligned to a vector, and no others. `sink` as above.
  void (*read)(const float* from, std::int64_t size, float* sink);
  // Writes as many, in order.
  void (*write)(float* to, std::int64_t size, float value);
};

namespace peaks_portable {
extern const Peaks kPeaks;
}
namespace peaks_avx2 {
extern const Peaks kPeaks;
}
namespace peaks_avx512 {
extern const Peaks kPeaks;
}

}  // namespace impasto::cpu
