// What one core of this machine does at most: multiply-adds between registers, and bytes to and from each level of its caches, for the
// model of bench/stages.py. With the widest vectors the machine has.
//
//   impasto_peaks_bench [Google Benchmark's own flags]
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "bench/peaks_kernels.h"

namespace impasto::cpu {
namespace {

struct Isa {
  const char* name;
  const Peaks& peaks;
};

Isa widest() {
#if defined(__x86_64__)
  // As kernels/cpu/isa.cc.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return {"avx512", peaks_avx512::kPeaks};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2", peaks_avx2::kPeaks};
#endif
  return {"portable", peaks_portable::kPeaks};
}

void count(benchmark::State& state, const char* unit, double each) {
  state.counters[unit] = benchmark::Counter(each * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void multiply_adds(benchmark::State& state, const Peaks& peaks) {
  alignas(64) float sink[kMostLanes];
  double operations = 0;
  for (auto _ : state) {
    operations = peaks.multiply_adds(1 << 16, 0.999f, 0.001f, sink);
    benchmark::DoNotOptimize(sink);
  }
  count(state, "GFLOP/s", operations);
}

template <class Body>
void pass(benchmark::State& state, std::int64_t bytes, const Body& body) {
  // As the engine's: aligned to large pages, and written before.
  constexpr std::int64_t kPage = std::int64_t{2} << 20;
  const std::unique_ptr<float, decltype(&std::free)> memory(
      static_cast<float*>(std::aligned_alloc(kPage, static_cast<std::size_t>((bytes + kPage - 1) / kPage * kPage))), std::free);
  if (memory == nullptr) {
    state.SkipWithError("no memory");
    return;
  }
  std::fill_n(memory.get(), bytes / 4, 1.0f);
  // Between two readings of the clock.
  const std::int64_t rounds = std::max<std::int64_t>(1, (std::int64_t{64} << 20) / bytes);
  for (auto _ : state) {
    for (std::int64_t round = 0; round < rounds; ++round) body(memory.get(), bytes / 4);
    benchmark::ClobberMemory();
  }
  count(state, "GB/s", static_cast<double>(rounds * bytes));
}

// What the second level holds with room to spare.
std::int64_t second_level_bytes() {
  std::int64_t size = std::int64_t{512} << 10;
#if defined(_SC_LEVEL2_CACHE_SIZE)
  // 0 or less where it is not known.
  if (const std::int64_t known = sysconf(_SC_LEVEL2_CACHE_SIZE); known > 0) size = known;
#endif
  return size * 3 / 8 / 512 * 512;
}

void add_benchmarks() {
  const Isa isa = widest();
  benchmark::AddCustomContext("instruction_set", isa.name);
  const Peaks& peaks = isa.peaks;
  benchmark::RegisterBenchmark("multiply_adds", [&peaks](benchmark::State& state) { multiply_adds(state, peaks); });
  const auto read = [&](const char* level, std::int64_t bytes) {
    benchmark::RegisterBenchmark((std::string("read/") + level).c_str(), [&peaks, bytes](benchmark::State& state) {
      alignas(64) float sink[kMostLanes];
      pass(state, bytes, [&](const float* from, std::int64_t size) {
        peaks.read(from, size, sink);
        benchmark::DoNotOptimize(sink);
      });
    });
  };
  const std::int64_t second = second_level_bytes();
  benchmark::AddCustomContext("second_level_bytes", std::to_string(second));
  read("second", second);
  read("third", std::int64_t{16} << 20);
  read("memory", std::int64_t{128} << 20);
  benchmark::RegisterBenchmark("write/second", [&peaks, second](benchmark::State& state) {
    pass(state, second, [&](float* to, std::int64_t size) { peaks.write(to, size, 1.0f); });
  });
}

}  // namespace
}  // namespace impasto::cpu

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  impasto::cpu::add_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
