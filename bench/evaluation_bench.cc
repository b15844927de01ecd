// One evaluation of losses and gradient, and a short whole run, through the public interface, with an untrained network: the time does not
// depend on the filters' values.
//
//   impasto_evaluation_bench [Google Benchmark's own flags]
//
// Mpixel/s is per evaluation. Beside PyTorch: peers/compare.py.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "impasto/session.h"

namespace impasto {
namespace {

// A picture with smooth and rough places.
Image picture(int width, int height, std::uint32_t seed) {
  Image image{width, height, {}};
  std::uint32_t state = seed;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        state = state * 1664525u + 1013904223u;
        const float noise = static_cast<float>(state >> 8) / (1 << 24);
        const float ramp = static_cast<float>(channel == 1 ? y : x) / static_cast<float>(channel == 1 ? height : width);
        image.pixels.push_back(0.7f * ramp + 0.3f * noise);
      }
    }
  }
  return image;
}

Session session_with_threads(std::int64_t threads) {
  SessionOptions options;
  options.device = Device::kCpu;
  options.threads = static_cast<int>(threads);
  return Session::untrained(1, options);
}

void count_pixels(benchmark::State& state, double evaluations) {
  const double pixels = static_cast<double>(state.range(0)) * static_cast<double>(state.range(1));
  state.counters["Mpixel/s"] = benchmark::Counter(pixels * 1e-6 * evaluations, benchmark::Counter::kIsIterationInvariantRate);
}

void evaluation(benchmark::State& state) {
  const int width = static_cast<int>(state.range(0)), height = static_cast<int>(state.range(1));
  Session session = session_with_threads(state.range(2));
  const Image content = picture(width, height, 1), start = picture(width, height, 2);
  const std::vector<Image> styles = {picture(width, height, 3)};
  Evaluator evaluator = session.evaluator(content, styles);
  benchmark::DoNotOptimize(evaluator.evaluate(start).gradient.data());
  for (auto _ : state) benchmark::DoNotOptimize(evaluator.evaluate(start).gradient.data());
  count_pixels(state, 1);
}
BENCHMARK(evaluation)
    ->ArgNames({"width", "height", "threads"})
    ->Args({128, 96, 0})
    ->Args({400, 300, 1})
    ->Args({400, 300, 0})
    ->Args({512, 512, 0})
    ->Args({37, 2001, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Twenty evaluations with everything around them: targets, plans, optimiser.
void whole_run(benchmark::State& state) {
  constexpr int kIterations = 20;
  Session session = session_with_threads(0);
  const Image content = picture(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), 1);
  const std::vector<Image> styles = {picture(content.width, content.height, 3)};
  StyleOptions options;
  options.iterations = kIterations;
  for (auto _ : state) benchmark::DoNotOptimize(session.stylize(content, styles, options).image.pixels.data());
  count_pixels(state, kIterations);
}
BENCHMARK(whole_run)->ArgNames({"width", "height"})->Args({256, 192})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace impasto

BENCHMARK_MAIN();
