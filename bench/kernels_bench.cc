// Every kernel of the CPU backend at the sizes VGG19 meets in a 400 x 300 picture (or --size=WxH).
//
//   impasto_kernels_bench [--threads=N] [--isa=NAME] [--tile=1|2|4|6] [--size=WxH] [Google Benchmark's own flags]
//
// GFLOP/s counts the multiplications and additions of the direct method, so that the convolutions compare with any other
// implementation; Winograd does fewer. GB/s counts each vector read or written once.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/numbers.h"
#include "impasto/error.h"
#include "kernels/backend.h"

namespace impasto {
namespace {

struct Settings {
  BackendOptions backend;
  int width = 400;
  int height = 300;
};

struct Layer {
  const char* name;
  int in;
  int out;
  int halvings;  // of the picture
  Epilogue epilogue;
};

// Vectors of a full history of 100 pairs.
constexpr int kHistory = 200;

// conv3_2 stands for 3_3, conv4_2 for 4_3.
constexpr Layer kLayers[] = {
    {"conv1_1", 3, 64, 0, Epilogue::kRelu},           {"conv1_2", 64, 64, 0, Epilogue::kReluMaxPool},
    {"conv2_1", 64, 128, 1, Epilogue::kRelu},         {"conv2_2", 128, 128, 1, Epilogue::kReluMaxPool},
    {"conv3_1", 128, 256, 2, Epilogue::kRelu},        {"conv3_2", 256, 256, 2, Epilogue::kRelu},
    {"conv3_4", 256, 256, 2, Epilogue::kReluMaxPool}, {"conv4_1", 256, 512, 3, Epilogue::kRelu},
    {"conv4_2", 512, 512, 3, Epilogue::kRelu},        {"conv4_4", 512, 512, 3, Epilogue::kReluMaxPool},
    {"conv5_1", 512, 512, 4, Epilogue::kRelu},
};

void count_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void count_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

class Bench {
 public:
  explicit Bench(const Settings& settings) : backend_(make_backend(settings.backend)), width_(settings.width), height_(settings.height) {}

  Backend& backend() { return *backend_; }

  void add_all() {
    for (const Layer& layer : kLayers) {
      add(layer, "forward");
      add(layer, "gradient");
    }
    for (const Layer& layer : {kLayers[0], kLayers[2], kLayers[4], kLayers[7], kLayers[10]}) add_gram(layer);
    for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) add_pooling(kind);
    add_vectors();
  }

 private:
  Shape shape(const Layer& layer, int channels) const { return {channels, height_ >> layer.halvings, width_ >> layer.halvings}; }

  void* memory(std::int64_t bytes) {
    buffers_.push_back(backend_->allocate(bytes));
    return buffers_.back().data();
  }
  Features features(Shape shape) {
    const Features made{memory(backend_->features_bytes(shape)), shape};
    backend_->upload(numbers(shape.size()), made);
    return made;
  }
  Vector vector(std::int64_t size) {
    const Vector made{memory(backend_->vector_bytes(size)), size};
    backend_->upload(numbers(size), made);
    return made;
  }

  // kHistory compact vectors in one piece of memory, as an optimiser has them.
  std::vector<CompactVector> history(std::int64_t size) {
    const Vector v = vector(size);
    const std::int64_t bytes = (backend_->compact_bytes(size) + 63) / 64 * 64;
    char* at = static_cast<char*>(memory(kHistory * bytes));
    std::vector<CompactVector> vectors;
    for (int i = 0; i < kHistory; ++i) {
      vectors.push_back({at + i * bytes, size});
      backend_->compress(v, vectors.back());
    }
    return vectors;
  }

  template <class Body>
  void add_named(const std::string& name, const Body& body) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [this, body](benchmark::State& state) {
                                   body(state);
                                   buffers_.clear();
                                 })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->MinWarmUpTime(0.1);
  }

  void add(const Layer& layer, const char* direction) {
    const bool forward = std::strcmp(direction, "forward") == 0;
    add_named(std::string(layer.name) + "/" + direction, [this, layer, forward](benchmark::State& state) {
      const Shape input = shape(layer, layer.in);
      const Shape convolved = shape(layer, layer.out);
      const bool pools = layer.epilogue == Epilogue::kReluMaxPool;
      const Shape output = pools ? Shape{layer.out, convolved.h / 2, convolved.w / 2} : convolved;
      std::vector<float> weight(static_cast<std::size_t>(layer.in) * static_cast<std::size_t>(layer.out) * 9);
      const std::vector<double> values = numbers(std::ssize(weight));
      for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(values[i] / 50);
      const std::vector<float> bias(static_cast<std::size_t>(layer.out), 0.01f);
      const bool image = layer.in == 3;
      const std::unique_ptr<Filters> filters = backend_->load_filters({layer.in, layer.out, image, weight, bias});
      const std::unique_ptr<ConvPlan> plan = backend_->plan_conv3x3({input.h, input.w, layer.epilogue, filters.get()});
      const Features in = image ? Features{vector(input.size()).data, input} : features(input);
      const Features out = features(output);
      const Mask mask{memory(backend_->mask_bytes(convolved)), convolved};
      void* scratch = memory(plan->scratch_bytes());
      plan->forward(in, out, mask, scratch);
      for (auto _ : state) {
        if (forward) {
          plan->forward(in, out, mask, scratch);
        } else {
          plan->gradient(out, mask, in, scratch);
        }
      }
      count_flops(state, 2.0 * 9 * layer.in * static_cast<double>(convolved.size()));
    });
  }

  void add_gram(const Layer& layer) {
    const std::string name = "relu" + std::string(layer.name).substr(4);
    const double flops = 2.0 * layer.out * static_cast<double>(shape(layer, layer.out).size());
    add_named("gram/" + name, [this, layer, flops](benchmark::State& state) {
      const Features f = features(shape(layer, layer.out));
      const Vector g = vector(std::int64_t{layer.out} * layer.out);
      void* scratch = memory(backend_->gram_scratch_bytes(f.shape));
      for (auto _ : state) backend_->gram(f, g, scratch);
      // Symmetric: half of the products.
      count_flops(state, flops / 2);
    });
    add_named("gram_gradient/" + name, [this, layer, flops](benchmark::State& state) {
      const Features f = features(shape(layer, layer.out));
      const Features grad = features(f.shape);
      const Vector g = vector(std::int64_t{layer.out} * layer.out);
      void* scratch = memory(backend_->gram_scratch_bytes(f.shape));
      for (auto _ : state) backend_->gram_gradient({f, g, 1e-9}, grad, scratch);
      count_flops(state, flops);
    });
  }

  void add_pooling(PoolKind kind) {
    const std::string name = kind == PoolKind::kMax ? "pool_max" : "pool_average";
    add_named(name + "/relu1_2", [this, kind](benchmark::State& state) {
      const Features in = features(shape(kLayers[1], 64));
      const Features out = features({64, in.shape.h / 2, in.shape.w / 2});
      const Mask mask{memory(backend_->mask_bytes(in.shape)), in.shape};
      for (auto _ : state) backend_->pool2x2(kind, in, out, mask);
      count_bytes(state, 4.0 * static_cast<double>(in.shape.size() + out.shape.size()));
    });
    add_named(name + "_gradient/relu1_2", [this, kind](benchmark::State& state) {
      const Features in = features(shape(kLayers[1], 64));
      const Features out = features({64, in.shape.h / 2, in.shape.w / 2});
      const Mask mask{memory(backend_->mask_bytes(in.shape)), in.shape};
      backend_->pool2x2(kind, in, out, mask);
      for (auto _ : state) backend_->pool2x2_gradient(kind, out, mask, in);
      count_bytes(state, 4.0 * static_cast<double>(in.shape.size() + out.shape.size()));
    });
  }

  void add_vectors() {
    const Shape picture{3, height_, width_};
    const double bytes = 4.0 * static_cast<double>(picture.size());
    add_named("dots/200x2", [this, picture, bytes](benchmark::State& state) {
      std::vector<Vector> many;
      for (int i = 0; i < kHistory; ++i) many.push_back(vector(picture.size()));
      const std::vector<Vector> few{vector(picture.size()), vector(picture.size())};
      double* results = static_cast<double*>(memory(kHistory * 2 * 8));
      for (auto _ : state) backend_->dots(many, few, results);
      count_bytes(state, bytes * (kHistory + 2));
    });
    add_named("combine/201", [this, picture, bytes](benchmark::State& state) {
      std::vector<Vector> terms;
      for (int i = 0; i <= kHistory; ++i) terms.push_back(vector(picture.size()));
      const std::vector<double> coefficients(terms.size(), 0.001);
      const Vector out = vector(picture.size());
      for (auto _ : state) backend_->combine(coefficients, terms, out);
      count_bytes(state, bytes * (kHistory + 2));
    });
    const std::int64_t compact_bytes = backend_->compact_bytes(picture.size());
    add_named("compress", [this, picture, bytes, compact_bytes](benchmark::State& state) {
      const Vector v = vector(picture.size());
      const CompactVector to{memory(compact_bytes), picture.size()};
      for (auto _ : state) backend_->compress(v, to);
      count_bytes(state, 2 * bytes + compact_bytes);
    });
    add_named("dots/compact 200x2", [this, picture, bytes, compact_bytes](benchmark::State& state) {
      const std::vector<CompactVector> many = history(picture.size());
      const std::vector<Vector> few{vector(picture.size()), vector(picture.size())};
      double* results = static_cast<double*>(memory(kHistory * 2 * 8));
      for (auto _ : state) backend_->dots(many, few, results);
      count_bytes(state, compact_bytes * kHistory + bytes * 2);
    });
    add_named("combine/compact 201", [this, picture, bytes, compact_bytes](benchmark::State& state) {
      const std::vector<CompactVector> terms = history(picture.size());
      const std::vector<double> coefficients(terms.size(), 0.001);
      const Vector v = vector(picture.size());
      const Vector out = vector(picture.size());
      for (auto _ : state) backend_->combine(coefficients, terms, -1.0, v, out);
      count_bytes(state, compact_bytes * kHistory + bytes * 2);
    });
    for (const int step : {4, 64}) {
      add_named("smooth/step" + std::to_string(step), [this, picture, bytes, step](benchmark::State& state) {
        const Vector in = vector(picture.size());
        const Vector out = vector(picture.size());
        const Vector sum = vector(picture.size());
        const Vector scratch = vector(picture.size());
        for (auto _ : state) backend_->smooth(in, picture, step, out, 0.5, sum, scratch);
        count_bytes(state, bytes * 4);
      });
    }
    add_named("total_variation", [this, picture, bytes](benchmark::State& state) {
      const Vector x = vector(picture.size());
      const Vector grad = vector(picture.size());
      double* result = static_cast<double*>(memory(8));
      for (auto _ : state) backend_->total_variation(x, picture, 1e-9, grad, result);
      count_bytes(state, bytes * 3);
    });
    add_named("feature_distance/relu4_2", [this](benchmark::State& state) {
      const Features f = features(shape(kLayers[8], 512));
      const Features p = features(f.shape);
      const Features grad = features(f.shape);
      double* result = static_cast<double*>(memory(8));
      for (auto _ : state) backend_->feature_distance(f, p, 1e-9, grad, result);
      count_bytes(state, 16.0 * static_cast<double>(f.shape.size()));
    });
    add_named("norms", [this, picture, bytes](benchmark::State& state) {
      const Vector v = vector(picture.size());
      double* result = static_cast<double*>(memory(16));
      for (auto _ : state) backend_->norms(v, result);
      count_bytes(state, bytes);
    });
    add_named("adam", [this, picture, bytes](benchmark::State& state) {
      const Vector grad = vector(picture.size());
      const Vector m = vector(picture.size());
      const Vector v{memory(backend_->vector_bytes(picture.size())), picture.size()};
      backend_->upload(std::vector<double>(static_cast<std::size_t>(picture.size()), 1.0), v);
      const Vector x = vector(picture.size());
      std::int64_t t = 0;
      for (auto _ : state) backend_->adam(grad, {}, ++t, m, v, x);
      count_bytes(state, bytes * 7);
    });
  }

  std::unique_ptr<Backend> backend_;
  int width_;
  int height_;
  std::vector<Buffer> buffers_;
};

}  // namespace
}  // namespace impasto

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  impasto::Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--threads=", 0) == 0) {
      settings.backend.threads = std::atoi(argument.c_str() + 10);
    } else if (argument.rfind("--isa=", 0) == 0) {
      settings.backend.cpu_isa = argument.substr(6);
    } else if (argument.rfind("--tile=", 0) == 0) {
      settings.backend.tile = std::atoi(argument.c_str() + 7);
    } else if (std::sscanf(argument.c_str(), "--size=%dx%d", &settings.width, &settings.height) != 2) {
      std::fprintf(stderr, "impasto_kernels_bench: %s is none of --threads=N, --isa=NAME, --tile=M, --size=WxH\n", argument.c_str());
      return 2;
    }
  }
  try {
    impasto::Bench bench(settings);
    benchmark::AddCustomContext("backend", bench.backend().description());
    bench.add_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "impasto_kernels_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
