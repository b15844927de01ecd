#include "kernels/cuda/cuda_backend.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "impasto/error.h"
#include "kernels/cuda/blas.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/dnn.h"
#include "kernels/cuda/graph.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/losses.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/pooling.h"
#include "kernels/cuda/ranges.h"
#include "kernels/cuda/storage.h"
#include "kernels/cuda/tuner.h"
#include "kernels/cuda/vectors.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

using namespace checks;
using cuda::bytes_of;
using cuda::check;
using cuda::Storage;

// A Gram matrix is summed in pieces of pixels, so many that the 64 x 64 squares of all pieces keep a large device busy (132
// multiprocessors); by the size alone, so that every device adds in the same order. At least kLeastPiece pixels each.
constexpr std::int64_t kGramSquares = 256;
constexpr std::int64_t kLeastPiece = 512;

struct GramPieces {
  std::int64_t pixels;  // of each but the last
  std::int64_t whole;
  std::int64_t rest;  // pixels of the last, 0: none

  std::int64_t count() const { return whole + (rest > 0 ? 1 : 0); }
};

GramPieces gram_pieces(Shape shape) {
  const std::int64_t side = (shape.c + 63) / 64;
  const std::int64_t wanted =
      std::clamp<std::int64_t>((kGramSquares + side * side - 1) / (side * side), 1, (shape.plane() + kLeastPiece - 1) / kLeastPiece);
  const std::int64_t pixels = (shape.plane() + wanted - 1) / wanted;
  return {pixels, shape.plane() / pixels, shape.plane() % pixels};
}

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a CUDA stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "waiting for the device"); }

 private:
  cudaStream_t stream_ = nullptr;
};

std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

// Throws DeviceError with the reason where there is none.
int device_count() {
  // The runtime takes a missing driver for an old one.
  int driver = 0;
  check(cudaDriverGetVersion(&driver), "asking for the NVIDIA driver's version");
  if (driver == 0) throw DeviceError("this machine has no NVIDIA driver");
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver) {
    cudaGetLastError();
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "asking for the CUDA runtime's version");
    throw DeviceError("the NVIDIA driver is for CUDA " + version_text(driver) + "; this build needs one for CUDA " + version_text(runtime));
  }
  if (status == cudaErrorNoDevice) {
    cudaGetLastError();
    throw DeviceError("this machine has no CUDA device");
  }
  check(status, "looking for CUDA devices");
  return count;
}

cudaDeviceProp properties_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking for a CUDA device's properties");
  return properties;
}

std::string capability(const cudaDeviceProp& properties) {
  return "compute capability " + std::to_string(properties.major) + "." + std::to_string(properties.minor);
}

std::string described(const cudaDeviceProp& properties) {
  return std::string(properties.name) + ", " + capability(properties) + ", " + std::to_string(properties.totalGlobalMem >> 20) + " MiB";
}

// Those that a device has, the one that kAuto stands for first.
std::vector<Precision> precisions_of(const cudaDeviceProp& properties) {
  // The first with tensor cores that take TF32 and bfloat16. Binary16 they take from 7.0 on, and no build is for less than 7.5.
  constexpr int kAmpere = 8;
  if (properties.major < kAmpere) return {Precision::kFp32, Precision::kFp16};
  return {Precision::kTf32, Precision::kFp32, Precision::kFp16, Precision::kBf16};
}

std::string listed(const std::vector<Precision>& precisions) {
  std::string names = to_string(precisions.front());
  for (std::size_t i = 1; i < precisions.size(); ++i) names += std::string(", ") + to_string(precisions[i]);
  return names;
}

// Never kAuto.
Precision chosen_precision(Precision asked, const cudaDeviceProp& properties) {
  const std::vector<Precision> accepted = precisions_of(properties);
  if (asked == Precision::kAuto) return accepted.front();
  if (std::find(accepted.begin(), accepted.end(), asked) != accepted.end()) return asked;
  throw OptionError(std::string("precision is ") + to_string(asked) + "; accepted on a CUDA device of " + capability(properties) +
                    ": auto, " + listed(accepted));
}

cudaDeviceProp selected(int device) {
  const int count = device_count();
  if (device < 0 || device >= count) {
    throw DeviceError("cuda:" + std::to_string(device) + " does not exist; this machine has " + std::to_string(count) +
                      " CUDA devices, counted from 0");
  }
  check(cudaSetDevice(device), "selecting a CUDA device");
  return properties_of(device);
}

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(const BackendOptions& options)
      : properties_(selected(options.cuda_device)),
        precision_(chosen_precision(options.precision, properties_)),
        dnn_(cuda::make_dnn(stream_)),
        tuner_(*dnn_, stream_, std::string(properties_.name) + ", " + capability(properties_), options.autotune, options.measured_plans),
        blas_(cuda::make_blas(stream_, precision_)),
        partials_(cuda::allocate(cuda::kPartials * std::int64_t{sizeof(double)})),
        context_{stream_, precision_, &tuner_, blas_.get(), partials()} {}

  cudaStream_t stream() const { return stream_; }

  std::string description() const override { return std::string("cuda, ") + to_string(precision_) + ", " + described(properties_); }

  bool has_half_range() const override { return context_.storage() == Storage::kFloat16; }

  Buffer allocate(std::int64_t bytes) override { return cuda::allocate(bytes); }
  std::int64_t vector_bytes(std::int64_t size) const override { return size * std::int64_t{sizeof(float)}; }
  std::int64_t compact_bytes(std::int64_t size) const override { return cuda::compact_bytes(size); }
  std::int64_t features_bytes(Shape shape) const override { return shape.size() * bytes_of(context_.storage()); }
  std::int64_t mask_bytes(Shape shape) const override {
    return shape.plane() * cuda::mask_words(shape.c) * std::int64_t{sizeof(std::uint32_t)};
  }

  void upload(std::span<const double> host, Vector vector) override {
    require_size("upload", "host", std::ssize(host), vector.size);
    const std::vector<float> values(host.begin(), host.end());
    send(values, vector.data);
  }

  void upload(std::span<const double> host, Features features) override {
    require_size("upload", "host", std::ssize(host), features.shape.size());
    switch (context_.storage()) {
      case Storage::kFloat32:
        return send_by_pixels<float>(host, features);
      case Storage::kFloat16:
        return send_by_pixels<__half>(host, features);
      case Storage::kBfloat16:
        return send_by_pixels<__nv_bfloat16>(host, features);
    }
  }

  void download(Vector vector, std::span<double> host) override {
    require_size("download", "host", std::ssize(host), vector.size);
    const std::vector<float> values = received<float>(vector.data, host.size());
    std::copy(values.begin(), values.end(), host.begin());
  }

  void download(Features features, std::span<double> host) override {
    require_size("download", "host", std::ssize(host), features.shape.size());
    switch (context_.storage()) {
      case Storage::kFloat32:
        return receive_by_pixels<float>(features, host);
      case Storage::kFloat16:
        return receive_by_pixels<__half>(features, host);
      case Storage::kBfloat16:
        return receive_by_pixels<__nv_bfloat16>(features, host);
    }
  }

  void fetch(const double* results, std::span<double> host) override {
    check(cudaMemcpyAsync(host.data(), results, host.size_bytes(), cudaMemcpyDeviceToHost, stream_), "copying results from the device");
    stream_.wait();
  }

  Recording record(const std::function<void()>& operations) override { return cuda::record(operations, stream_); }
  void enter_range(const char* name) override { cuda::enter_range(name); }
  void leave_range() override { cuda::leave_range(); }

  std::unique_ptr<Filters> load_filters(const FilterSpec& spec) override { return cuda::load_filters(context_, spec); }
  std::unique_ptr<ConvPlan> plan_conv3x3(const ConvSpec& spec) override { return cuda::plan_convolution(context_, spec); }
  bool prefer_memory(bool prefer) override {
    context_.prefer = prefer ? cuda::Prefer::kMemory : cuda::Prefer::kSpeed;
    return true;
  }
  MeasuredPlans measured_plans() const override { return tuner_.measured(); }

  void relu(Features in, Features out, Mask mask) override {
    require_positive("relu", "in", in.shape);
    require_shape("relu", "out", out.shape, in.shape);
    if (mask.data != nullptr) require_shape("relu", "mask", mask.shape, in.shape);
    cuda::relu(context_.storage(), in, out, mask, stream_);
  }

  void relu_gradient(Mask mask, Features grad) override {
    require_shape("relu_gradient", "mask", mask.shape, grad.shape);
    cuda::pass_masked(context_.storage(), grad, mask, grad, stream_);
  }

  void pool2x2(PoolKind kind, Features in, Features out, Mask mask) override {
    require_poolable("pool2x2", "in", in.shape);
    require_shape("pool2x2", "out", out.shape, pooled(in.shape));
    const bool records = kind == PoolKind::kMax && mask.data != nullptr;
    if (records) require_shape("pool2x2", "mask", mask.shape, in.shape);
    cuda::pool(context_.storage(), kind, in, false, out, records ? mask : Mask{}, stream_);
  }

  void pool2x2_gradient(PoolKind kind, Features grad_out, Mask mask, Features grad_in) override {
    require_poolable("pool2x2_gradient", "grad_in", grad_in.shape);
    require_shape("pool2x2_gradient", "grad_out", grad_out.shape, pooled(grad_in.shape));
    if (kind == PoolKind::kMax) require_shape("pool2x2_gradient", "mask", mask.shape, grad_in.shape);
    cuda::unpool(context_.storage(), kind, grad_out, kind == PoolKind::kMax ? mask : Mask{}, grad_in, stream_);
  }

  void fill_zero(Features features) override {
    check(cudaMemsetAsync(features.data, 0, static_cast<std::size_t>(features_bytes(features.shape)), stream_), "clearing features");
  }

  std::int64_t gram_scratch_bytes(Shape shape) const override {
    return std::max(gram_pieces(shape).count() * shape.c * shape.c * std::int64_t{sizeof(float)},
                    cuda::gram_gradient_scratch_bytes(context_, shape.c));
  }

  void gram(Features f, Vector g, void* scratch) override {
    require_positive("gram", "f", f.shape);
    require_size("gram", "g", g.size, std::int64_t{f.shape.c} * f.shape.c);
    const GramPieces pieces = gram_pieces(f.shape);
    const int c = f.shape.c;
    float* products = static_cast<float*>(scratch);
    // Seen column by column, f is (c, pixels).
    cuda::Product product;
    product.transpose_b = true;
    product.m = product.n = c;
    product.lda = product.ldb = product.ldc = c;
    product.stride_a = product.stride_b = pieces.pixels * c;
    product.stride_c = std::int64_t{c} * c;
    product.operands = context_.storage();
    product.k = static_cast<int>(pieces.pixels);
    product.batch = static_cast<int>(pieces.whole);
    product.a = product.b = f.data;
    product.c = products;
    blas_->multiply(product);
    if (pieces.rest > 0) {
      product.k = static_cast<int>(pieces.rest);
      product.batch = 1;
      product.a = product.b = static_cast<const char*>(f.data) + pieces.whole * pieces.pixels * c * bytes_of(context_.storage());
      product.c = products + pieces.whole * product.stride_c;
      blas_->multiply(product);
    }
    cuda::finish_gram(products, static_cast<int>(pieces.count()), c, 1.0 / static_cast<double>(f.shape.plane()), g, stream_);
  }

  void gram_gradient(const GramTerm& term, Features grad_f, void* scratch) override {
    require_gram_term("gram_gradient", term, grad_f.shape);
    cuda::add_gram_gradient(context_, term, grad_f, scratch);
  }

  void feature_distance(Features f, Features p, double scale, Features grad_f, double* result) override {
    require_shape("feature_distance", "p", p.shape, f.shape);
    if (grad_f.data != nullptr) require_shape("feature_distance", "grad_f", grad_f.shape, f.shape);
    cuda::feature_distance(context_.storage(), f, p, scale, grad_f, partials(), result, stream_);
  }

  void total_variation(Vector x, Shape shape, double scale, Vector grad, double* result) override {
    require_positive("total_variation", "shape", shape);
    require_size("total_variation", "x", x.size, shape.size());
    if (grad.data != nullptr) require_size("total_variation", "grad", grad.size, shape.size());
    cuda::total_variation(x, shape, scale, grad, partials(), result, stream_);
  }

  void copy(Vector from, Vector to) override {
    require_size("copy", "to", to.size, from.size);
    check(cudaMemcpyAsync(to.data, from.data, static_cast<std::size_t>(vector_bytes(from.size)), cudaMemcpyDeviceToDevice, stream_),
          "copying a vector");
  }

  void dots(std::span<const Vector> many, std::span<const Vector> few, double* result) override {
    if (!checked_dots(many, few)) return;
    cuda::dots(many, few, partials(), result, stream_);
  }

  void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out) override {
    require_size("combine", "coefficients", std::ssize(coefficients), std::ssize(terms));
    for (const Vector& term : terms) require_size("combine", "a term", term.size, out.size);
    cuda::combine(coefficients, terms, out, stream_);
  }

  void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken) override {
    require_size("take_step", "x", x.size, direction.size);
    cuda::take_step(direction, squared, length, longest, x, taken, stream_);
  }

  void compress(Vector v, CompactVector to) override {
    require_size("compress", "to", to.size, v.size);
    cuda::compress(v, to, stream_);
  }

  void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* result) override {
    if (!checked_dots(many, few)) return;
    cuda::dots(many, few, partials(), result, stream_);
  }

  void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out) override {
    require_size("combine", "coefficients", std::ssize(coefficients), std::ssize(terms));
    require_size("combine", "v", v.size, out.size);
    for (const CompactVector& term : terms) require_size("combine", "a term", term.size, out.size);
    cuda::combine(coefficients, terms, scale, v, out, stream_);
  }

  void norms(Vector v, double* result) override { cuda::norms(v, partials(), result, stream_); }

  void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch) override {
    require_positive("smooth", "shape", shape);
    require_size("smooth", "in", in.size, shape.size());
    require_size("smooth", "out", out.size, shape.size());
    require_size("smooth", "sum", sum.size, shape.size());
    require_size("smooth", "scratch", scratch.size, shape.size());
    if (step < 1) throw ShapeError("smooth: step is " + std::to_string(step) + ", must be at least 1");
    cuda::smooth(in, shape, step, out, gain, sum, scratch, stream_);
  }

  void adam(Vector grad, const AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x) override {
    require_size("adam", "m", m.size, grad.size);
    require_size("adam", "v", v.size, grad.size);
    require_size("adam", "x", x.size, grad.size);
    cuda::adam(grad, parameters, t, m, v, x, stream_);
  }

 private:
  double* partials() const { return static_cast<double*>(partials_.data()); }

  // Whether there is anything to do.
  template <class Many>
  static bool checked_dots(std::span<const Many> many, std::span<const Vector> few) {
    if (few.size() > static_cast<std::size_t>(kMaxFew)) {
      throw ShapeError("dots: few has " + std::to_string(few.size()) + " vectors, must have at most " + std::to_string(kMaxFew));
    }
    if (many.empty() || few.empty()) return false;
    for (const Vector& v : few) require_size("dots", "a vector of few", v.size, few[0].size);
    for (const Many& v : many) require_size("dots", "a vector of many", v.size, few[0].size);
    return true;
  }

  template <class Number>
  void send(const std::vector<Number>& values, void* to) {
    check(cudaMemcpyAsync(to, values.data(), values.size() * sizeof(Number), cudaMemcpyHostToDevice, stream_), "copying to the device");
    // The caller's memory, and this, may be gone when the copy would begin.
    stream_.wait();
  }

  template <class Number>
  std::vector<Number> received(const void* from, std::size_t count) {
    std::vector<Number> values(count);
    check(cudaMemcpyAsync(values.data(), from, count * sizeof(Number), cudaMemcpyDeviceToHost, stream_), "copying from the device");
    stream_.wait();
    return values;
  }

  // Between CHW and the device's order.
  template <class Number>
  void send_by_pixels(std::span<const double> host, Features features) {
    const std::size_t plane = static_cast<std::size_t>(features.shape.plane());
    const std::size_t c = static_cast<std::size_t>(features.shape.c);
    std::vector<Number> values(host.size());
    for (std::size_t channel = 0; channel < c; ++channel) {
      for (std::size_t p = 0; p < plane; ++p) {
        values[p * c + channel] = cuda::narrowed<Number>(static_cast<float>(host[channel * plane + p]));
      }
    }
    send(values, features.data);
  }

  template <class Number>
  void receive_by_pixels(Features features, std::span<double> host) {
    const std::vector<Number> values = received<Number>(features.data, host.size());
    const std::size_t plane = static_cast<std::size_t>(features.shape.plane());
    const std::size_t c = static_cast<std::size_t>(features.shape.c);
    for (std::size_t channel = 0; channel < c; ++channel) {
      for (std::size_t p = 0; p < plane; ++p) host[channel * plane + p] = cuda::widened(values[p * c + channel]);
    }
  }

  cudaDeviceProp properties_;
  Precision precision_;
  Stream stream_;
  std::unique_ptr<cuda::Dnn> dnn_;
  cuda::Tuner tuner_;
  std::unique_ptr<cuda::Blas> blas_;
  Buffer partials_;
  cuda::Context context_;
};

}  // namespace

std::vector<std::string> describe_cuda_devices() {
  std::vector<std::string> lines;
  const int count = device_count();
  for (int device = 0; device < count; ++device) {
    const cudaDeviceProp properties = properties_of(device);
    lines.push_back(described(properties) + ", precision " + listed(precisions_of(properties)));
  }
  return lines;
}

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options) { return std::make_unique<CudaBackend>(options); }

cudaStream_t cuda_stream(const Backend& backend) { return static_cast<const CudaBackend&>(backend).stream(); }

}  // namespace impasto
