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
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/device_traffic.h"
#include "bench/numbers.h"
#include "impasto/error.h"
#include "kernels/backend.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/dnn.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/losses.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/pooling.h"
#include "kernels/cuda/storage.h"
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

// Vectors of a full history of 100 pairs.
constexpr int kHistory = 200;

// A backend of one precision, and memory with numbers on it.
class Device {
 public:
  explicit Device(Precision precision)
      : precision_(precision),
        backend_(make_cuda_backend({.precision = precision})),
        for_features_{backend_->allocate(kPattern * number()), number()},
        for_vectors_{backend_->allocate(kPattern * std::int64_t{sizeof(float)}), sizeof(float)} {
    const std::vector<double> values = numbers(kPattern);
    backend_->upload(values, Features{for_features_.buffer.data(), {1, 1, kPattern}});
    backend_->upload(values, Vector{for_vectors_.buffer.data(), kPattern});
  }

  Backend& backend() const { return *backend_; }
  cudaStream_t stream() const { return cuda_stream(*backend_); }
  Precision precision() const { return precision_; }
  cuda::Storage storage() const { return cuda::storage_of(precision_); }
  // Bytes of one number of Features.
  std::int64_t number() const { return cuda::bytes_of(storage()); }
  cuda::Dnn& dnn() {
    if (dnn_ == nullptr) dnn_ = cuda::make_dnn(stream());
    return *dnn_;
  }

  // Uninitialised, until free().
  void* memory(std::int64_t bytes) { return buffers_.emplace_back(backend_->allocate(bytes)).data(); }
  Features features(Shape shape) {
    const Features made{memory(backend_->features_bytes(shape)), shape};
    fill(for_features_, made.data, backend_->features_bytes(shape));
    return made;
  }
  Vector vector(std::int64_t size) {
    const Vector made{memory(backend_->vector_bytes(size)), size};
    fill_with_floats(made.data, backend_->vector_bytes(size));
    return made;
  }
  std::vector<Vector> vectors(int count, std::int64_t size) {
    std::vector<Vector> made;
    for (int i = 0; i < count; ++i) made.push_back(vector(size));
    return made;
  }
  // All of one vector.
  std::vector<CompactVector> compact_vectors(int count, std::int64_t size) {
    const Vector v = vector(size);
    std::vector<CompactVector> made;
    for (int i = 0; i < count; ++i) {
      made.push_back({memory(backend_->compact_bytes(size)), size});
      backend_->compress(v, made.back());
    }
    return made;
  }
  Mask mask(Shape shape) { return {memory(backend_->mask_bytes(shape)), shape}; }
  // With about half of the bits set.
  Mask mask_of(Features f) {
    const Mask made = mask(f.shape);
    cuda::record_positive(storage(), f, made, stream());
    return made;
  }
  double* results(std::int64_t count) { return static_cast<double*>(memory(count * std::int64_t{sizeof(double)})); }

  void fill_with_floats(void* to, std::int64_t bytes) { fill(for_vectors_, to, bytes); }

  void free() { buffers_.clear(); }

 private:
  struct Pattern {
    Buffer buffer;
    std::int64_t number;
  };

  // Prime, so that rows and planes begin with different numbers.
  static constexpr int kPattern = 999'983;

  // From another place of the pattern on each time: no two tensors are the same.
  void fill(const Pattern& pattern, void* to, std::int64_t bytes) {
    constexpr int kNextPlace = 77'777;
    place_ = (place_ + kNextPlace) % (kPattern / 2);
    const char* const from = static_cast<const char*>(pattern.buffer.data()) + place_ * pattern.number;
    // By doubling: what is there so far is copied behind itself.
    for (std::int64_t done = 0; done < bytes;) {
      const std::int64_t part = std::min(bytes - done, done == 0 ? pattern.buffer.bytes() - place_ * pattern.number : done);
      check(cudaMemcpyAsync(static_cast<char*>(to) + done, done == 0 ? from : to, static_cast<std::size_t>(part), cudaMemcpyDeviceToDevice,
                            stream()),
            "filling device memory");
      done += part;
    }
  }

  Precision precision_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<cuda::Dnn> dnn_;
  Pattern for_features_;
  Pattern for_vectors_;
  std::int64_t place_ = 0;
  std::vector<Buffer> buffers_;
};

// What a benchmark times.
struct Work {
  std::function<void()> enqueue;
  Traffic traffic;
  // Multiplications and additions; 0 of what is bound by memory.
  double operations = 0;
};

// --- kernels over features --------------------------------------------------------------------------------------------------------------

struct ImageConv {
  ImageConv(Device& device, const Layer& layer)
      : picture(device.vector(layer.in_channels * layer.convolved.plane())),
        in{picture.data, {layer.in_channels, layer.convolved.h, layer.convolved.w}},
        out(device.features(layer.convolved)),
        mask(device.mask(layer.convolved)) {
    const std::vector<double> values = numbers(std::int64_t{27} * layer.convolved.c);
    std::vector<float> weight;
    for (const double value : values) weight.push_back(static_cast<float>(value / 5));
    const std::vector<float> bias(static_cast<std::size_t>(layer.convolved.c), 0.01f);
    filters = device.backend().load_filters({layer.in_channels, layer.convolved.c, true, weight, bias});
    plan = device.backend().plan_conv3x3({layer.convolved.h, layer.convolved.w, Epilogue::kRelu, filters.get()});
    scratch = device.memory(plan->scratch_bytes());
    plan->forward(in, out, mask, scratch);
  }

  Vector picture;
  Features in;
  Features out;
  Mask mask;
  std::shared_ptr<Filters> filters;
  std::shared_ptr<ConvPlan> plan;
  void* scratch = nullptr;
};

Work image_conv_forward(Device& device, const Layer& layer) {
  const ImageConv conv(device, layer);
  return {[conv] { conv.plan->forward(conv.in, conv.out, conv.mask, conv.scratch); },
          traffic::image_conv_forward(layer.convolved, device.number())};
}

Work image_conv_gradient(Device& device, const Layer& layer) {
  const ImageConv conv(device, layer);
  const Features grad_picture{device.vector(conv.in.shape.size()).data, conv.in.shape};
  return {[=] { conv.plan->gradient(conv.out, conv.mask, grad_picture, conv.scratch); },
          traffic::image_conv_gradient(layer.convolved, device.number())};
}

Work image_conv_gradient_with_total_variation(Device& device, const Layer& layer) {
  const ImageConv conv(device, layer);
  const Features grad_picture{device.vector(conv.in.shape.size()).data, conv.in.shape};
  const TotalVariationTerm plus{conv.picture, 0.1, device.results(1)};
  return {[=] { conv.plan->gradient(conv.out, conv.mask, grad_picture, conv.scratch, plus); },
          traffic::image_conv_gradient_with_total_variation(layer.convolved, device.number())};
}

Work record_positive(Device& device, const Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { cuda::record_positive(device.storage(), in, mask, device.stream()); },
          traffic::record_positive(layer.convolved, device.number())};
}

Work pass_masked(Device& device, const Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(layer.convolved);
  const Mask mask = device.mask_of(in);
  return {[=, &device] { cuda::pass_masked(device.storage(), in, mask, out, device.stream()); },
          traffic::pass_masked(layer.convolved, device.number())};
}

Work pool(Device& device, const Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(pooled(layer.convolved));
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { device.backend().pool2x2(PoolKind::kMax, in, out, mask); }, traffic::pool(layer.convolved, device.number())};
}

Work unpool(Device& device, const Layer& layer) {
  const Features grad_in = device.features(layer.convolved);
  const Features grad_out = device.features(pooled(layer.convolved));
  const Mask mask = device.mask(layer.convolved);
  device.backend().pool2x2(PoolKind::kMax, grad_in, grad_out, mask);
  return {[=, &device] { device.backend().pool2x2_gradient(PoolKind::kMax, grad_out, mask, grad_in); },
          traffic::unpool(layer.convolved, device.number())};
}

Work relu(Device& device, const Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(layer.convolved);
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { device.backend().relu(in, out, mask); }, traffic::relu(layer.convolved, device.number())};
}

Work feature_distance(Device& device, const Layer& layer) {
  const Features f = device.features(layer.convolved);
  const Features p = device.features(layer.convolved);
  const Features grad = device.features(layer.convolved);
  double* const result = device.results(1);
  return {[=, &device] { device.backend().feature_distance(f, p, 1e-9, grad, result); },
          traffic::feature_distance(layer.convolved, device.number())};
}

// As many pieces as Backend::gram makes: the backend's scratch memory has room for their products.
Work finish_gram(Device& device, const Layer& layer) {
  const int c = layer.convolved.c;
  const std::int64_t square = std::int64_t{c} * c;
  const std::int64_t pieces = device.backend().gram_scratch_bytes(layer.convolved) / traffic::floats(square);
  const Vector products = device.vector(pieces * square);
  const Vector g = device.vector(square);
  return {
      [=, &device] { cuda::finish_gram(static_cast<const float*>(products.data), static_cast<int>(pieces), c, 1e-3, g, device.stream()); },
      traffic::finish_gram(pieces, c)};
}

Work gram_difference(Device& device, const Layer& layer) {
  const std::int64_t square = std::int64_t{layer.convolved.c} * layer.convolved.c;
  const Vector difference = device.vector(square);
  const Vector target = device.vector(square);
  double* const result = device.results(1);
  return {[=, &device] {
            // The first coefficient keeps what it repeats bounded.
            device.backend().combine(std::array{0.5, -1.0}, std::array{difference, target}, difference);
            device.backend().dots(std::array{difference}, std::array{difference}, result);
          },
          traffic::gram_difference(layer.convolved.c)};
}

struct FeatureKernel {
  const char* name;
  Work (*prepare)(Device& device, const Layer& layer);
  // Whether an evaluation runs it at this layer.
  bool (*runs_at)(const Layer& layer);
  // In each storage; otherwise what it works on is float32.
  bool in_each_storage;
};

bool is_named(const Layer& layer, const char* name) { return layer.name == name; }
bool reads_picture(const Layer& layer) { return is_named(layer, "conv1_1"); }
bool pools(const Layer& layer) { return layer.pools; }
bool convolves_alone(const Layer& layer) { return !pools(layer) && !reads_picture(layer); }
bool has_gram(const Layer& layer) { return layer.name.ends_with("_1"); }

constexpr FeatureKernel kFeatureKernels[] = {
    {"image_conv_forward", image_conv_forward, reads_picture, true},
    {"image_conv_gradient", image_conv_gradient, reads_picture, true},
    {"image_conv_gradient_with_total_variation", image_conv_gradient_with_total_variation, reads_picture, true},
    {"record_positive", record_positive, convolves_alone, true},
    {"pass_masked", pass_masked, convolves_alone, true},
    {"pool", pool, pools, true},
    {"unpool", unpool, pools, true},
    // Of a network with a loss before its ReLU, which the default losses do not have.
    {"relu", relu, [](const Layer& layer) { return is_named(layer, "conv1_2"); }, true},
    {"feature_distance", feature_distance, [](const Layer& layer) { return is_named(layer, "conv4_2"); }, true},
    {"finish_gram", finish_gram, has_gram, false},
    {"gram_difference", gram_difference, has_gram, false},
};

// --- kernels over vectors of a picture's size -------------------------------------------------------------------------------------------

Work dots(Device& device, Shape picture) {
  const std::vector<Vector> many = device.vectors(kHistory, picture.size());
  const std::vector<Vector> few = device.vectors(2, picture.size());
  double* const results = device.results(2 * kHistory);
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().dots(many, few, results); }, traffic::dots(kHistory, bytes, 2, bytes)};
}

Work dots_of_itself(Device& device, Shape picture) {
  const std::vector<Vector> v = device.vectors(1, picture.size());
  double* const result = device.results(1);
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().dots(v, v, result); }, traffic::dots(1, bytes, 0, bytes)};
}

Work dots_compact(Device& device, Shape picture) {
  const std::vector<CompactVector> many = device.compact_vectors(kHistory, picture.size());
  const std::vector<Vector> few = device.vectors(2, picture.size());
  double* const results = device.results(2 * kHistory);
  return {[=, &device] { device.backend().dots(many, few, results); },
          traffic::dots(kHistory, device.backend().compact_bytes(picture.size()), 2, device.backend().vector_bytes(picture.size()))};
}

Work combine(Device& device, Shape picture) {
  const std::vector<Vector> terms = device.vectors(kHistory + 1, picture.size());
  const std::vector<double> coefficients(terms.size(), 0.001);
  const Vector out = device.vector(picture.size());
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().combine(coefficients, terms, out); }, traffic::combine(kHistory + 1, bytes, bytes)};
}

Work combine_compact(Device& device, Shape picture) {
  const std::vector<CompactVector> terms = device.compact_vectors(kHistory, picture.size());
  const std::vector<double> coefficients(terms.size(), 0.001);
  const Vector v = device.vector(picture.size());
  const Vector out = device.vector(picture.size());
  return {
      [=, &device] { device.backend().combine(coefficients, terms, -1.0, v, out); },
      traffic::combine_compact(kHistory, device.backend().compact_bytes(picture.size()), device.backend().vector_bytes(picture.size()))};
}

Work compress(Device& device, Shape picture) {
  const Vector v = device.vector(picture.size());
  const std::int64_t bytes = device.backend().compact_bytes(picture.size());
  const CompactVector to{device.memory(bytes), picture.size()};
  return {[=, &device] { device.backend().compress(v, to); }, traffic::compress(device.backend().vector_bytes(picture.size()), bytes)};
}

Work take_step(Device& device, Shape picture) {
  const std::vector<Vector> direction = device.vectors(1, picture.size());
  const Vector x = device.vector(picture.size());
  double* const squared = device.results(1);
  double* const taken = device.results(1);
  device.backend().dots(direction, direction, squared);
  return {[=, &device] {
            constexpr double kAnyLength = std::numeric_limits<double>::infinity();
            device.backend().take_step(direction[0], squared, 1e-6, kAnyLength, x, taken);
          },
          traffic::take_step(device.backend().vector_bytes(picture.size()))};
}

Work norms(Device& device, Shape picture) {
  const Vector v = device.vector(picture.size());
  double* const result = device.results(2);
  return {[=, &device] { device.backend().norms(v, result); }, traffic::norms(device.backend().vector_bytes(picture.size()))};
}

Work adam(Device& device, Shape picture) {
  const Vector grad = device.vector(picture.size());
  const Vector m = device.vector(picture.size());
  const Vector v = device.vector(picture.size());
  const Vector x = device.vector(picture.size());
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  // The mean of squares: 0.0115 in float32.
  constexpr int kByte = 0x3c;
  check(cudaMemsetAsync(v.data, kByte, static_cast<std::size_t>(bytes), device.stream()), "filling device memory");
  return {[=, &device] { device.backend().adam(grad, {}, 2, m, v, x); }, traffic::adam(bytes)};
}

template <int kStep>
Work smooth(Device& device, Shape picture) {
  const std::vector<Vector> v = device.vectors(4, picture.size());
  return {[=, &device] { device.backend().smooth(v[0], picture, kStep, v[1], 0.5, v[2], v[3]); },
          traffic::smooth(device.backend().vector_bytes(picture.size()))};
}

Work total_variation(Device& device, Shape picture) {
  const Vector x = device.vector(picture.size());
  const Vector grad = device.vector(picture.size());
  double* const result = device.results(1);
  return {[=, &device] { device.backend().total_variation(x, picture, 1e-9, grad, result); }, traffic::total_variation(picture)};
}

struct VectorKernel {
  const char* name;
  Work (*prepare)(Device& device, Shape picture);
};

constexpr VectorKernel kVectorKernels[] = {
    {"dots/200x2", dots},
    {"dots/1x1", dots_of_itself},
    {"dots/compact_200x2", dots_compact},
    {"combine/201", combine},
    {"combine/compact_201", combine_compact},
    {"compress/picture", compress},
    {"take_step/picture", take_step},
    {"norms/picture", norms},
    {"adam/picture", adam},
    {"smooth/step_4", smooth<4>},
    {"smooth/step_64", smooth<64>},
    {"total_variation/picture", total_variation},
};

// --- products ---------------------------------------------------------------------------------------------------------------------------

Work convolution(Device& device, const Layer& layer, cuda::Convolution::Kind kind) {
  const Shape out = layer.convolved;
  const Shape in{layer.in_channels, out.h, out.w};
  const bool back = kind == cuda::Convolution::Kind::kGradient;
  const cuda::Convolution problem{kind, out.h, out.w, in.c, out.c, device.precision()};
  const std::shared_ptr<cuda::DnnPlan> plan = device.dnn().plan(problem, cuda::Prefer::kSpeed);
  const Features filters = device.features({9 * in.c, 1, out.c});
  const Features bias = device.features({out.c, 1, 1});
  const Features from = device.features(back ? out : in);
  const Features to = device.features(back ? in : out);
  void* const workspace = device.memory(plan->workspace_bytes());
  return {[=] { plan->run(from.data, filters.data, bias.data, to.data, workspace); }, {}, 2.0 * 9 * in.c * static_cast<double>(out.size())};
}

Work convolution_forward(Device& device, const Layer& layer) { return convolution(device, layer, cuda::Convolution::Kind::kForwardRelu); }
Work convolution_gradient(Device& device, const Layer& layer) { return convolution(device, layer, cuda::Convolution::Kind::kGradient); }

double gram_operations(const Layer& layer) { return 2.0 * layer.convolved.c * static_cast<double>(layer.convolved.size()); }

Work gram(Device& device, const Layer& layer) {
  const Features f = device.features(layer.convolved);
  const Vector g = device.vector(std::int64_t{layer.convolved.c} * layer.convolved.c);
  void* const scratch = device.memory(device.backend().gram_scratch_bytes(layer.convolved));
  return {[=, &device] { device.backend().gram(f, g, scratch); }, {}, gram_operations(layer)};
}

Work gram_gradient(Device& device, const Layer& layer) {
  const GramTerm term{device.features(layer.convolved), device.vector(std::int64_t{layer.convolved.c} * layer.convolved.c), 1e-9};
  const Features grad = device.features(layer.convolved);
  void* const scratch = device.memory(device.backend().gram_scratch_bytes(layer.convolved));
  return {[=, &device] { device.backend().gram_gradient(term, grad, scratch); }, {}, gram_operations(layer)};
}

// --- benchmarks -------------------------------------------------------------------------------------------------------------------------

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
