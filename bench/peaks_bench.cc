// What one core of this machine does at most: multiply-adds between registers, and bytes to and from each level of its caches, for the
// model of bench/stages.py. With the widest vectors that this file is compiled for.
//
//   impasto_peaks_bench [Google Benchmark's own flags]
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "kernels/cpu/simd.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

void count(benchmark::State& state, const char* unit, double each) {
  state.counters[unit] = benchmark::Counter(each * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void multiply_add_registers(benchmark::State& state) {
  // Enough to hide four cycles of two a cycle, and few enough for 16 registers.
  constexpr int kSums = 12;
  constexpr int kSteps = 1 << 16;
  VecF sum[kSums]{};
  for (auto _ : state) {
    VecF factor = broadcast(0.999f);
    VecF term = broadcast(0.001f);
    benchmark::DoNotOptimize(factor);
    benchmark::DoNotOptimize(term);
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
      for (VecF& each : sum) each = multiply_add(each, factor, term);
    }
    benchmark::DoNotOptimize(sum);
  }
  count(state, "GFLOP/s", 2.0 * kSums * kLanes * kSteps);
}

// Bytes that a core passes between two readings of the clock.
constexpr std::int64_t kPassed = std::int64_t{64} << 20;
constexpr int kUnroll = 8;

template <class Body>
void pass(benchmark::State& state, const Body& body) {
  const std::int64_t bytes = state.range(0);
  // As the engine's: aligned to large pages, and written before.
  const std::unique_ptr<float, decltype(&std::free)> memory(
      static_cast<float*>(
          std::aligned_alloc(std::size_t{2} << 20, (static_cast<std::size_t>(bytes) + (std::size_t{2} << 20) - 1) >> 21 << 21)),
      std::free);
  if (memory == nullptr) {
    state.SkipWithError("no memory");
    return;
  }
  std::fill_n(memory.get(), bytes / 4, 1.0f);
  const std::int64_t rounds = kPassed / bytes > 0 ? kPassed / bytes : 1;
  for (auto _ : state) {
    for (std::int64_t round = 0; round < rounds; ++round) {
      for (std::int64_t i = 0; i < bytes / 4; i += kUnroll * kLanes) body(memory.get() + i);
      benchmark::ClobberMemory();
    }
  }
  count(state, "GB/s", static_cast<double>(rounds * bytes));
}

void read(benchmark::State& state) {
  VecF sum[kUnroll]{};
  pass(state, [&sum](const float* p) {
#pragma GCC unroll 8
    for (int i = 0; i < kUnroll; ++i) sum[i] += load(p + i * kLanes);
  });
  benchmark::DoNotOptimize(sum);
}

void write(benchmark::State& state) {
  pass(state, [](float* p) {
#pragma GCC unroll 8
    for (int i = 0; i < kUnroll; ++i) store(p + i * kLanes, broadcast(1.0f));
  });
}

// The second level, the third, and memory.
constexpr std::int64_t kSecond = std::int64_t{768} << 10;
constexpr std::int64_t kThird = std::int64_t{16} << 20;
constexpr std::int64_t kMemory = std::int64_t{128} << 20;

BENCHMARK(multiply_add_registers);
BENCHMARK(read)->Arg(kSecond)->Arg(kThird)->Arg(kMemory);
BENCHMARK(write)->Arg(kSecond);

}  // namespace
}  // namespace impasto::cpu::IMPASTO_ISA

int main(int argc, char** argv) {
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f")) {
    std::fprintf(stderr, "impasto_peaks_bench: this machine has no AVX-512, which this program is made for\n");
    return 1;
  }
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
