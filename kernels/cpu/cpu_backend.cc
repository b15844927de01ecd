// The seam's operations: shapes are checked, work is cut into shares, kernels of the chosen instruction set do them.
#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "impasto/error.h"
#include "kernels/cpu/conv_filters.h"
#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/gram.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/mirrored.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using namespace cpu;
using namespace checks;

// Long vectors are cut into at most kChunks equal pieces of at least kMinChunk elements, by their size alone: partial sums are added in
// the pieces' order, so the result does not depend on which thread took which. 256 pieces still divide well among 64 threads.
constexpr std::int64_t kChunks = 256;
constexpr std::int64_t kMinChunk = 4096;
// Vectors of `many` that one pass of dots takes: bounds the partial sums kept.
constexpr std::int64_t kManyAtATime = 64;

struct Chunks {
  std::int64_t size;
  std::int64_t length;
  std::int64_t count;

  // multiple: of which lengths are multiples.
  explicit Chunks(std::int64_t size_in, std::int64_t multiple = kBlockChannels)
      : size(size_in),
        length((std::max(kMinChunk, (size_in + kChunks - 1) / kChunks) + multiple - 1) / multiple * multiple),
        count((size_in + length - 1) / length) {}
  std::int64_t first(std::int64_t i) const { return i * length; }
  std::int64_t last(std::int64_t i) const { return std::min(size, (i + 1) * length); }
};

float* floats(Vector v) { return static_cast<float*>(v.data); }
float* floats(Features f) { return static_cast<float*>(f.data); }
std::uint16_t* words(Mask m) { return static_cast<std::uint16_t*>(m.data); }

class CpuBackend : public Backend {
 public:
  CpuBackend(const KernelTable& kernels, int threads, int tile)
      : kernels_(kernels), pool_(threads), context_{pool_, kernels_, tile}, partials_(kChunks * kManyAtATime * kMaxFew) {}

  std::string description() const override {
    return "cpu, float32, " + std::string(kernels_.name) +
           (context_.tile == 0   ? ""
            : context_.tile == 1 ? ", direct in double"
                                 : ", F(" + std::to_string(context_.tile) + ")") +
           ", " + std::to_string(pool_.size()) + (pool_.size() == 1 ? " thread" : " threads");
  }

  Buffer allocate(std::int64_t bytes) override { return cpu::allocate(bytes); }
  std::int64_t vector_bytes(std::int64_t size) const override { return size * static_cast<std::int64_t>(sizeof(float)); }
  std::int64_t compact_bytes(std::int64_t size) const override {
    return compact_unit_bytes(size) + compact_runs(size) * kCompactRunWords * 4;
  }
  std::int64_t features_bytes(Shape shape) const override { return padded_size(shape) * static_cast<std::int64_t>(sizeof(float)); }
  std::int64_t mask_bytes(Shape shape) const override {
    return channel_blocks(shape.c) * shape.plane() * static_cast<std::int64_t>(sizeof(std::uint16_t));
  }

  void upload(std::span<const double> host, Vector vector) override {
    require_size("upload", "host", static_cast<std::int64_t>(host.size()), vector.size);
    for_chunks(vector.size, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) floats(vector)[i] = static_cast<float>(host[static_cast<std::size_t>(i)]);
    });
  }

  void upload(std::span<const double> host, Features features) override {
    require_size("upload", "host", static_cast<std::int64_t>(host.size()), features.shape.size());
    const std::int64_t plane = features.shape.plane();
    pool_.parallel_for(channel_blocks(features.shape.c), [&](int, std::int64_t block) {
      float* to = floats(features) + block * plane * kBlockChannels;
      for (int i = 0; i < kBlockChannels; ++i) {
        const std::int64_t channel = block * kBlockChannels + i;
        const double* from = channel < features.shape.c ? host.data() + channel * plane : nullptr;
        for (std::int64_t p = 0; p < plane; ++p) to[p * kBlockChannels + i] = from == nullptr ? 0.0f : static_cast<float>(from[p]);
      }
    });
  }

  void download(Vector vector, std::span<double> host) override {
    require_size("download", "host", static_cast<std::int64_t>(host.size()), vector.size);
    std::copy_n(floats(vector), vector.size, host.begin());
  }

  void download(Features features, std::span<double> host) override {
    require_size("download", "host", static_cast<std::int64_t>(host.size()), features.shape.size());
    const std::int64_t plane = features.shape.plane();
    pool_.parallel_for(features.shape.c, [&](int, std::int64_t channel) {
      const float* from = floats(features) + channel / kBlockChannels * plane * kBlockChannels + channel % kBlockChannels;
      for (std::int64_t p = 0; p < plane; ++p) host[static_cast<std::size_t>(channel * plane + p)] = from[p * kBlockChannels];
    });
  }

  void fetch(const double* results, std::span<double> host) override { std::copy_n(results, host.size(), host.begin()); }

  std::unique_ptr<Filters> load_filters(const FilterSpec& spec) override {
    require_loadable(spec);
    return std::make_unique<CpuFilters>(spec, pool_, kernels_);
  }

  std::unique_ptr<ConvPlan> plan_conv3x3(const ConvSpec& spec) override {
    require_plannable(spec);
    return plan_conv(context_, spec);
  }

  bool prefer_memory(bool) override { return false; }

  void relu(Features in, Features out, Mask mask) override {
    require_positive("relu", "in", in.shape);
    require_shape("relu", "out", out.shape, in.shape);
    if (mask.data != nullptr) require_shape("relu", "mask", mask.shape, in.shape);
    for_chunks(padded_size(in.shape), [&](std::int64_t, std::int64_t first, std::int64_t last) {
      const std::int64_t pixel = first / kBlockChannels;
      kernels_.relu(floats(in) + first, last / kBlockChannels - pixel, floats(out) + first,
                    mask.data == nullptr ? nullptr : words(mask) + pixel);
    });
  }

  void relu_gradient(Mask mask, Features grad) override {
    require_shape("relu_gradient", "mask", mask.shape, grad.shape);
    for_chunks(padded_size(grad.shape), [&](std::int64_t, std::int64_t first, std::int64_t last) {
      const std::int64_t pixel = first / kBlockChannels;
      kernels_.relu_gradient(words(mask) + pixel, last / kBlockChannels - pixel, floats(grad) + first);
    });
  }

  void pool2x2(PoolKind kind, Features in, Features out, Mask mask) override {
    require_poolable("pool2x2", "in", in.shape);
    require_shape("pool2x2", "out", out.shape, pooled(in.shape));
    const bool records = kind == PoolKind::kMax && mask.data != nullptr;
    if (records) require_shape("pool2x2", "mask", mask.shape, in.shape);
    const std::int64_t rows = out.shape.h;
    pool_.parallel_for(channel_blocks(in.shape.c) * rows, [&](int, std::int64_t i) {
      const std::int64_t pixel = i / rows * in.shape.plane() + i % rows * 2 * in.shape.w;
      kernels_.pool_row(kind, floats(in) + pixel * kBlockChannels, in.shape.w, floats(out) + i * out.shape.w * kBlockChannels,
                        records ? words(mask) + pixel : nullptr);
    });
  }

  void pool2x2_gradient(PoolKind kind, Features grad_out, Mask mask, Features grad_in) override {
    require_poolable("pool2x2_gradient", "grad_in", grad_in.shape);
    require_shape("pool2x2_gradient", "grad_out", grad_out.shape, pooled(grad_in.shape));
    if (kind == PoolKind::kMax) require_shape("pool2x2_gradient", "mask", mask.shape, grad_in.shape);
    const Shape shape = grad_in.shape;
    const std::int64_t rows = grad_out.shape.h;
    pool_.parallel_for(channel_blocks(shape.c) * rows, [&](int, std::int64_t i) {
      const std::int64_t pixel = i / rows * shape.plane() + i % rows * 2 * shape.w;
      float* to = floats(grad_in) + pixel * kBlockChannels;
      kernels_.pool_gradient_row(kind, floats(grad_out) + i * grad_out.shape.w * kBlockChannels,
                                 kind == PoolKind::kMax ? words(mask) + pixel : nullptr, shape.w, to);
      if (shape.h % 2 == 1 && i % rows == rows - 1) std::fill_n(to + 2 * shape.w * kBlockChannels, shape.w * kBlockChannels, 0.0f);
    });
  }

  void fill_zero(Features features) override {
    for_chunks(padded_size(features.shape),
               [&](std::int64_t, std::int64_t first, std::int64_t last) { std::fill_n(floats(features) + first, last - first, 0.0f); });
  }

  std::int64_t gram_scratch_bytes(Shape shape) const override { return cpu::gram_scratch_bytes(kernels_, shape); }

  void gram(Features f, Vector g, void* scratch) override {
    require_positive("gram", "f", f.shape);
    require_size("gram", "g", g.size, std::int64_t{f.shape.c} * f.shape.c);
    compute_gram(context_, f, floats(g), scratch);
  }

  void gram_gradient(const GramTerm& term, Features grad_f, void* scratch) override {
    require_gram_term("gram_gradient", term, grad_f.shape);
    float* packed = static_cast<float*>(scratch);
    pack_gram_term(context_, term, packed);
    add_gram_gradient(context_, term, packed, floats(grad_f));
  }

  void feature_distance(Features f, Features p, double scale, Features grad_f, double* result) override {
    require_shape("feature_distance", "p", p.shape, f.shape);
    if (grad_f.data != nullptr) require_shape("feature_distance", "grad_f", grad_f.shape, f.shape);
    const Chunks chunks = for_chunks(padded_size(f.shape), [&](std::int64_t i, std::int64_t first, std::int64_t last) {
      partials_[static_cast<std::size_t>(i)] = kernels_.distance(floats(f) + first, floats(p) + first, last - first, scale,
                                                                 grad_f.data == nullptr ? nullptr : floats(grad_f) + first);
    });
    *result = sum_of_partials(chunks.count, 1, 0);
  }

  void total_variation(Vector x, Shape shape, double scale, Vector grad, double* result) override {
    require_positive("total_variation", "shape", shape);
    require_size("total_variation", "x", x.size, shape.size());
    if (grad.data != nullptr) require_size("total_variation", "grad", grad.size, shape.size());
    const std::int64_t rows = std::int64_t{shape.c} * shape.h;
    const std::int64_t rows_each = (rows + kChunks - 1) / kChunks;
    const std::int64_t count = (rows + rows_each - 1) / rows_each;
    pool_.parallel_for(count, [&](int, std::int64_t i) {
      double sum = 0;
      for (std::int64_t row = i * rows_each; row < std::min(rows, (i + 1) * rows_each); ++row) {
        const float* at = floats(x) + row * shape.w;
        const std::int64_t y = row % shape.h;
        sum += kernels_.variation_row(at, y > 0 ? at - shape.w : nullptr, y + 1 < shape.h ? at + shape.w : nullptr, shape.w, scale,
                                      grad.data == nullptr ? nullptr : floats(grad) + row * shape.w);
      }
      partials_[static_cast<std::size_t>(i)] = sum;
    });
    *result = sum_of_partials(count, 1, 0);
  }

  void copy(Vector from, Vector to) override {
    require_size("copy", "to", to.size, from.size);
    for_chunks(from.size, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      std::memcpy(floats(to) + first, floats(from) + first, static_cast<std::size_t>(last - first) * sizeof(float));
    });
  }

  void dots(std::span<const Vector> many, std::span<const Vector> few, double* result) override {
    dots_of(
        many, few, result, Chunks(few.empty() ? 0 : few[0].size), [](Vector v) { return floats(v); }, kernels_.dots);
  }

  void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out) override {
    require_size("combine", "coefficients", static_cast<std::int64_t>(coefficients.size()), static_cast<std::int64_t>(terms.size()));
    for (const Vector& term : terms) require_size("combine", "a term", term.size, out.size);
    for_chunks(out.size, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      kernels_.combine(coefficients.data(), terms.data(), static_cast<int>(terms.size()), first, last, floats(out));
    });
  }

  void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken) override {
    require_size("take_step", "x", x.size, direction.size);
    *taken = std::min(length, longest / std::sqrt(*squared / static_cast<double>(direction.size)));
    combine(std::array{1.0, *taken}, std::array{x, direction}, x);
  }

  void compress(Vector v, CompactVector to) override {
    require_size("compress", "to", to.size, v.size);
    for_chunks(Chunks(v.size, kCompactRun),
               [&](std::int64_t, std::int64_t first, std::int64_t last) { kernels_.compress(floats(v), to, first, last); });
  }

  void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* result) override {
    dots_of(
        many, few, result, Chunks(few.empty() ? 0 : few[0].size, kCompactRun), [](CompactVector v) { return v; }, kernels_.compact_dots);
  }

  void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out) override {
    require_size("combine", "coefficients", static_cast<std::int64_t>(coefficients.size()), static_cast<std::int64_t>(terms.size()));
    require_size("combine", "v", v.size, out.size);
    for (const CompactVector& term : terms) require_size("combine", "a term", term.size, out.size);
    for_chunks(Chunks(out.size, kCompactRun), [&](std::int64_t, std::int64_t first, std::int64_t last) {
      kernels_.compact_combine(coefficients.data(), terms.data(), static_cast<int>(terms.size()), scale, floats(v), first, last,
                               floats(out));
    });
  }

  void norms(Vector v, double* result) override {
    const Chunks chunks = for_chunks(v.size, [&](std::int64_t i, std::int64_t first, std::int64_t last) {
      kernels_.norms(floats(v) + first, last - first, partials_.data() + 2 * i);
    });
    const double sum = sum_of_partials(chunks.count, 2, 0);
    double largest = 0;
    for (std::int64_t i = 0; i < chunks.count; ++i) largest = std::max(largest, partials_[static_cast<std::size_t>(2 * i + 1)]);
    result[0] = sum;
    result[1] = std::isnan(sum) ? sum : largest;
  }

  void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch) override {
    require_positive("smooth", "shape", shape);
    require_size("smooth", "in", in.size, shape.size());
    require_size("smooth", "out", out.size, shape.size());
    require_size("smooth", "sum", sum.size, shape.size());
    require_size("smooth", "scratch", scratch.size, shape.size());
    if (step < 1) throw ShapeError("smooth: step is " + std::to_string(step) + ", must be at least 1");
    // Across first, into one row of scratch a task, then along: what lies between stays in cache.
    for_rows(shape, [&](std::int64_t row, std::int64_t first_of_task) {
      const std::int64_t y = row % shape.h;
      const float* rows[5];
      for (int k = 0; k < 5; ++k) rows[k] = floats(in) + (row - y + mirrored(y + (k - 2) * std::int64_t{step}, shape.h)) * shape.w;
      float* across = floats(scratch) + first_of_task * shape.w;
      kernels_.smooth_across_rows(rows, shape.w, across);
      kernels_.smooth_along_row(across, shape.w, step, floats(out) + row * shape.w, static_cast<float>(gain), floats(sum) + row * shape.w);
    });
  }

  void adam(Vector grad, const AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x) override {
    require_size("adam", "m", m.size, grad.size);
    require_size("adam", "v", v.size, grad.size);
    require_size("adam", "x", x.size, grad.size);
    const double unbias1 = 1 - std::pow(parameters.beta1, static_cast<double>(t));
    const double unbias2 = 1 - std::pow(parameters.beta2, static_cast<double>(t));
    for_chunks(grad.size, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      kernels_.adam(floats(grad) + first, last - first, parameters, unbias1, unbias2, floats(m) + first, floats(v) + first,
                    floats(x) + first);
    });
  }

 private:
  // body(i, first, last) for every chunk of a vector.
  template <class Body>
  Chunks for_chunks(std::int64_t size, const Body& body) {
    return for_chunks(Chunks(size), body);
  }
  template <class Body>
  Chunks for_chunks(const Chunks& chunks, const Body& body) {
    pool_.parallel_for(chunks.count, [&](int, std::int64_t i) { body(i, chunks.first(i), chunks.last(i)); });
    return chunks;
  }

  // dots of either kind: data_of gives what `kernel` reads of one of many.
  template <class Many, class DataOf, class Kernel>
  void dots_of(std::span<const Many> many, std::span<const Vector> few, double* result, const Chunks& chunks, const DataOf& data_of,
               const Kernel& kernel) {
    if (few.size() > static_cast<std::size_t>(kMaxFew)) {
      throw ShapeError("dots: few has " + std::to_string(few.size()) + " vectors, must have at most " + std::to_string(kMaxFew));
    }
    if (many.empty() || few.empty()) return;
    const std::int64_t size = few[0].size;
    const float* few_data[kMaxFew];
    for (std::size_t j = 0; j < few.size(); ++j) {
      require_size("dots", "a vector of few", few[j].size, size);
      few_data[j] = floats(few[j]);
    }
    for (const Many& v : many) require_size("dots", "a vector of many", v.size, size);
    const std::int64_t few_count = static_cast<std::int64_t>(few.size());
    for (std::size_t start = 0; start < many.size(); start += kManyAtATime) {
      const std::size_t count = std::min<std::size_t>(kManyAtATime, many.size() - start);
      decltype(data_of(many[0])) many_data[kManyAtATime];
      for (std::size_t i = 0; i < count; ++i) many_data[i] = data_of(many[start + i]);
      const std::int64_t width = static_cast<std::int64_t>(count) * few_count;
      for_chunks(chunks, [&](std::int64_t i, std::int64_t first, std::int64_t last) {
        kernel(many_data, static_cast<int>(count), few_data, static_cast<int>(few_count), first, last, partials_.data() + i * width);
      });
      for (std::int64_t i = 0; i < width; ++i) {
        result[static_cast<std::int64_t>(start) * few_count + i] = sum_of_partials(chunks.count, width, i);
      }
    }
  }

  // body(row, first row of its task) for every row of every channel, some 16 Ki pixels a task.
  template <class Body>
  void for_rows(Shape shape, const Body& body) {
    const std::int64_t rows = std::int64_t{shape.c} * shape.h;
    const std::int64_t each = std::max<std::int64_t>(1, 16384 / shape.w);
    pool_.parallel_for((rows + each - 1) / each, [&](int, std::int64_t i) {
      for (std::int64_t row = i * each; row < std::min(rows, (i + 1) * each); ++row) body(row, i * each);
    });
  }

  double sum_of_partials(std::int64_t count, std::int64_t width, std::int64_t column) const {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += partials_[static_cast<std::size_t>(i * width + column)];
    return sum;
  }

  const KernelTable& kernels_;
  ThreadPool pool_;
  Context context_;
  std::vector<double> partials_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const BackendOptions& options) {
  const std::span<const KernelTable* const> tables = supported_kernel_tables();
  const KernelTable* chosen = nullptr;
  std::string names;
  for (const KernelTable* table : tables) {
    if (chosen == nullptr && (options.cpu_isa.empty() || options.cpu_isa == table->name)) chosen = table;
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  if (chosen == nullptr) throw OptionError("cpu_isa is \"" + options.cpu_isa + "\", this machine and build have: " + names);
  const int threads = options.threads == 0 ? available_processors() : options.threads;
  return std::make_unique<CpuBackend>(*chosen, threads, options.tile);
}

}  // namespace impasto
