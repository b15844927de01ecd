#include "bench/peaks_kernels.h"

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

// Enough to hide four cycles of two a cycle, and few enough for 16 registers.
constexpr int kSums = 12;
constexpr int kUnroll = 8;

double multiply_adds(int steps, float factor, float term, float* sink) {
  // Different ones: compilers merge sums that begin and go on alike.
  VecF sum[kSums];
  for (int i = 0; i < kSums; ++i) sum[i] = broadcast(static_cast<float>(i));
  for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (VecF& each : sum) each = multiply_add(each, broadcast(factor), broadcast(term));
  }
  VecF all{};
  for (const VecF& each : sum) all += each;
  store(sink, all);
  return 2.0 * kSums * kLanes * steps;
}

void read(const float* from, std::int64_t size, float* sink) {
  VecF sum[kUnroll]{};
  for (std::int64_t i = 0; i < size; i += kUnroll * kLanes) {
#pragma GCC unroll 8
    for (int u = 0; u < kUnroll; ++u) sum[u] += load(from + i + u * kLanes);
  }
  VecF all{};
  for (const VecF& each : sum) all += each;
  store(sink, all);
}

void write(float* to, std::int64_t size, float value) {
  for (std::int64_t i = 0; i < size; i += kUnroll * kLanes) {
#pragma GCC unroll 8
    for (int u = 0; u < kUnroll; ++u) store(to + i + u * kLanes, broadcast(value));
  }
}

}  // namespace

extern const Peaks kPeaks = {multiply_adds, read, write};

}  // namespace impasto::cpu::IMPASTO_ISA
