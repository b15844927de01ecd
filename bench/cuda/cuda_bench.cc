// The CUDA backend's own kernels, and the products that cuDNN and cuBLAS compute for it, timed on the device.
//
//   impasto_cuda_bench [--size=WxH ...] [--stretch=BYTES] [Google Benchmark's own flags]
//
//   --size     of pictures (default 512x512, 2048x2048, 1021x767); products of the first only
//   --stretch  what is copied, and what launches timed together move at least (default 1 GiB)
//
// Names are operation/of what/size/precision; "all" are the layers of a whole evaluation, one after the other, each in memory of its own.
// Kernels that move bytes are timed beside a copy of device memory to device memory, taking turns, whose GB/s count what it reads and what
// it writes: `of copy` is their ratio, `in L2` 1 where all that the operation touches fits into the second-level cache, so that repeated
// launches need not reach memory. Times of an operation include what follows its kernel, such as the sum of partial sums. `TFLOP/s` counts
// every multiplication and addition of the direct method, of Gram matrices both halves. Exit status 1: a benchmark reports an error.
#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/cuda/device.h"
#include "bench/cuda/feature_kernels.h"
#include "bench/cuda/products.h"
#include "bench/cuda/traffic.h"
#include "bench/cuda/vector_kernels.h"
#include "impasto/error.h"
#include "kernels/backend.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/timing.h"

namespace impasto {
namespace {

using cuda::check;
using traffic::Layer;
using traffic::Traffic;

struct Size {
  int w = 0;
  int h = 0;
};

struct Settings {
  std::vector<Size> sizes;
  std::int64_t stretch = std::int64_t{1} << 30;
};

class Bench {
 public:
  explicit Bench(Settings settings)
      : settings_(std::move(settings)), copied_(cuda::allocate(settings_.stretch)), copy_(cuda::allocate(settings_.stretch)) {
    device(Precision::kFp32).fill_with_floats(copied_.data(), settings_.stretch);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, 0), "asking for a CUDA device's properties");
    cache_bytes_ = properties.l2CacheSize;
  }

  std::int64_t cache_bytes() const { return cache_bytes_; }
  bool failed() const { return failed_; }

  void add_all() {
    for (const Size& size : settings_.sizes) add_kernels(size);
    add_products(settings_.sizes.front());
  }

 private:
  using Prepare = std::function<Work(Device& device)>;

  void add_kernels(Size size) {
    const std::vector<Layer> layers = traffic::evaluated_layers(size.h, size.w);
    for (const FeatureKernel& kernel : kFeatureKernels) {
      std::vector<Layer> those;
      std::copy_if(layers.begin(), layers.end(), std::back_inserter(those), kernel.runs_at);
      for (const Precision precision : {Precision::kFp32, Precision::kFp16, Precision::kBf16}) {
        if (precision != Precision::kFp32 && !kernel.in_each_storage) continue;
        const std::string name = std::string(kernel.name) + "/";
        const auto prepare = kernel.prepare;
        // The largest.
        add(name + those[0].name, size, precision, [prepare, layer = those[0]](Device& device) { return prepare(device, layer); });
        if (those.size() == 1) continue;
        add(name + "all", size, precision, [prepare, those](Device& device) {
          std::vector<Work> parts;
          Traffic sum;
          for (const Layer& layer : those) {
            parts.push_back(prepare(device, layer));
            sum = sum + parts.back().traffic;
          }
          const auto each = [parts] {
            for (const Work& part : parts) part.enqueue();
          };
          return Work{each, sum};
        });
      }
    }
    for (const VectorKernel& kernel : kVectorKernels) {
      add(kernel.name, size, Precision::kFp32,
          [prepare = kernel.prepare, picture = Shape{3, size.h, size.w}](Device& device) { return prepare(device, picture); });
    }
  }

  void add_products(Size size) {
    const std::vector<Layer> layers = traffic::evaluated_layers(size.h, size.w);
    const auto add_each = [&](const std::string& name, const Layer& layer, Work (*prepare)(Device&, const Layer&)) {
      for (const Precision precision : {Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
        add(name + "/" + layer.name, size, precision, [prepare, layer](Device& device) { return prepare(device, layer); });
      }
    };
    for (std::size_t i = 1; i < layers.size(); ++i) {
      const Layer& layer = layers[i];
      // conv3_3 is as conv3_2.
      if (layer.in_channels == layers[i - 1].in_channels && layer.convolved == layers[i - 1].convolved) continue;
      add_each("convolution_forward", layer, convolution_forward);
      add_each("convolution_gradient", layer, convolution_gradient);
    }
    for (const Layer& layer : layers) {
      if (!has_gram(layer)) continue;
      add_each("gram", layer, gram);
      add_each("gram_gradient", layer, gram_gradient);
    }
  }

  void add(const std::string& what, Size size, Precision precision, const Prepare& prepare) {
    const std::string name = what + "/" + std::to_string(size.w) + "x" + std::to_string(size.h) + "/" + to_string(precision);
    benchmark::RegisterBenchmark(name.c_str(), [=, this](benchmark::State& state) { run(state, name, precision, prepare); })
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime()
        ->Iterations(1);
  }

  void run(benchmark::State& state, const std::string& name, Precision precision, const Prepare& prepare) {
    try {
      const Device& on = prepared(name, precision, prepare);
      double seconds = 0;
      double copy_seconds = 0;
      const std::int64_t count = launches();
      for (auto _ : state) {
        if (work_->operations == 0) copy_seconds = copy(on);
        seconds = 1e-3 * cuda::median_milliseconds([&] { enqueue(count); }, on.stream()) / static_cast<double>(count);
        state.SetIterationTime(seconds);
      }
      if (work_->operations > 0) {
        state.counters["TFLOP/s"] = work_->operations / seconds * 1e-12;
        return;
      }
      const double rate = static_cast<double>(work_->traffic.moved()) / seconds;
      const double copy_rate = 2 * static_cast<double>(settings_.stretch) / copy_seconds;
      state.counters["bytes"] = static_cast<double>(work_->traffic.moved());
      state.counters["GB/s"] = rate * 1e-9;
      state.counters["copy GB/s"] = copy_rate * 1e-9;
      state.counters["of copy"] = rate / copy_rate;
      state.counters["in L2"] = work_->traffic.touched() <= cache_bytes_ ? 1 : 0;
    } catch (const Error& error) {
      failed_ = true;
      state.SkipWithError(error.what());
    }
  }

  // Leaves in work_ what the benchmark of this name times: made once for all of its repetitions.
  Device& prepared(const std::string& name, Precision precision, const Prepare& prepare) {
    Device& of_precision = device(precision);
    if (name == prepared_) return of_precision;
    prepared_.clear();
    work_.reset();
    for (const auto& [key, made] : devices_) made->free();
    work_ = prepare(of_precision);
    prepared_ = name;
    return of_precision;
  }

  Device& device(Precision precision) {
    const auto found = devices_.find(precision);
    if (found != devices_.end()) return *found->second;
    return *devices_.emplace(precision, std::make_unique<Device>(precision)).first->second;
  }

  // As many as take about as long as the copy, for events come with a microsecond of their own.
  std::int64_t launches() const {
    constexpr std::int64_t kMost = 128;
    // What an H200 computes while it moves a byte, between 16 in float32 and 200 by tensor cores.
    constexpr double kOperationsOfByte = 64;
    const double moved = work_->operations > 0 ? work_->operations / kOperationsOfByte : static_cast<double>(work_->traffic.moved());
    return std::clamp<std::int64_t>(std::llround(std::ceil(static_cast<double>(settings_.stretch) / moved)), 1, kMost);
  }

  void enqueue(std::int64_t count) const {
    for (std::int64_t i = 0; i < count; ++i) work_->enqueue();
  }

  double copy(const Device& on) const {
    const auto enqueue_copy = [&] {
      check(
          cudaMemcpyAsync(copy_.data(), copied_.data(), static_cast<std::size_t>(settings_.stretch), cudaMemcpyDeviceToDevice, on.stream()),
          "copying device memory");
    };
    return 1e-3 * cuda::median_call_milliseconds(enqueue_copy, on.stream());
  }

  Settings settings_;
  std::map<Precision, std::unique_ptr<Device>> devices_;
  Buffer copied_;
  Buffer copy_;
  std::int64_t cache_bytes_ = 0;
  std::string prepared_;
  std::optional<Work> work_;
  bool failed_ = false;
};

// Whether it is one of our own flags, which must be right.
bool take(const std::string& argument, Settings& settings) {
  // What follows must be all that there is.
  char rest = 0;
  Size size;
  if (std::sscanf(argument.c_str(), "--size=%dx%d%c", &size.w, &size.h, &rest) == 2) {
    // conv5_1 is as large as a sixteenth of the picture, and conv4_4 is pooled.
    constexpr int kLeast = 16;
    if (size.w < kLeast || size.h < kLeast) return false;
    settings.sizes.push_back(size);
    return true;
  }
  long long stretch = 0;
  if (std::sscanf(argument.c_str(), "--stretch=%lld%c", &stretch, &rest) != 1 || stretch < 1) return false;
  settings.stretch = stretch;
  return true;
}

}  // namespace
}  // namespace impasto

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  impasto::Settings settings;
  for (int i = 1; i < argc; ++i) {
    if (impasto::take(argv[i], settings)) continue;
    std::fprintf(stderr, "impasto_cuda_bench: %s is none of --size=WxH (16x16 at least), --stretch=BYTES (1 at least)\n", argv[i]);
    return 2;
  }
  if (settings.sizes.empty()) settings.sizes = {{512, 512}, {2048, 2048}, {1021, 767}};
  try {
    benchmark::AddCustomContext("device", impasto::describe_cuda_devices().front());
    impasto::Bench bench(settings);
    benchmark::AddCustomContext("L2 bytes", std::to_string(bench.cache_bytes()));
    bench.add_all();
    if (benchmark::RunSpecifiedBenchmarks() == 0 || bench.failed()) return 1;
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "impasto_cuda_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
