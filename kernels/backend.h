// The seam between the algorithm (engine/) and the hardware (kernels/reference, kernels/cpu, ...).
//
// Rules for callers and implementers:
// - The engine never touches an activation's elements: Features and Mask are opaque, their layout is the backend's.
// - Plan once, run many: what depends on weights happens in load_filters, what depends on shapes in plan_conv3x3; nothing else allocates.
// - Every operation is enqueued in order and may return before it has run; only download and fetch wait for results.
// - Unless a comment says that an operation accumulates, outputs are overwritten and need not be initialised.
// - Outputs must not alias inputs unless a comment allows it.
// - The result of every operation is a function of its inputs alone: neither the number of threads nor earlier calls change a bit.
// - `result` arguments point to doubles in backend memory (see fetch); sums are accumulated in double.
// - A NaN in an input shows in the outputs that depend on it: no operation hides one.
// - Operations throw ShapeError when shapes do not fit together, and nothing else unless stated.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "impasto/precision.h"
#include "kernels/tensor.h"

namespace impasto {

enum class PoolKind { kMax, kAverage };

// What follows a convolution in the same operation. Pooling is 2x2 with stride 2 on the rectified output; an odd last row or column
// is dropped (floor), as PyTorch does.
enum class Epilogue { kNone, kRelu, kReluMaxPool, kReluAveragePool };

// The numbers of one 3x3 convolution. Host memory, borrowed for the call.
struct FilterSpec {
  int in_channels = 0;
  int out_channels = 0;
  // The convolution's input, and the gradient with respect to it, is a picture: planar like a Vector, 3 channels.
  bool reads_image = false;
  std::span<const float> weight;  // (out_channels, in_channels, 3, 3)
  std::span<const float> bias;    // (out_channels)
};

// Filters and biases of one convolution, in backend memory and in the backend's own form: one copy for plans of all sizes.
class Filters {
 public:
  explicit Filters(const FilterSpec& spec)
      : in_channels(spec.in_channels), out_channels(spec.out_channels), reads_image(spec.reads_image) {}
  virtual ~Filters() = default;

  const int in_channels;
  const int out_channels;
  const bool reads_image;
};

// A 3x3 convolution (cross-correlation), stride 1, zero padding 1, of planes of one size.
struct ConvSpec {
  int h = 0;
  int w = 0;
  Epilogue epilogue = Epilogue::kNone;
  // Of the same backend; borrowed for the life of the plan.
  const Filters* filters = nullptr;

  Shape input() const { return {filters->in_channels, h, w}; }
  // Before pooling; the shape of masks.
  Shape convolved() const { return {filters->out_channels, h, w}; }
  bool pools() const { return epilogue == Epilogue::kReluMaxPool || epilogue == Epilogue::kReluAveragePool; }
  Shape output() const { return pools() ? pooled(convolved()) : convolved(); }
};

// What the loss of one layer's Gram matrix adds to the gradient of its features: scale * grad_g f, as Backend::gram_gradient defines it.
struct GramTerm {
  Features f;
  Vector grad_g;
  double scale = 0;
};

// What total variation adds to the gradient of a picture x (CHW): grad and *result as Backend::total_variation defines them.
struct TotalVariationTerm {
  Vector x;
  double scale = 0;
  double* result = nullptr;
};

// What a convolution's gradient takes along for a loss of its input. At most one: features have no total variation, a picture no Gram
// matrix.
using LossTerm = std::variant<std::monostate, GramTerm, TotalVariationTerm>;

// One convolution with its epilogue, for one shape.
class ConvPlan {
 public:
  virtual ~ConvPlan() = default;

  // Bytes of backend memory that forward and gradient need as scratch. Its content does not survive a call.
  virtual std::int64_t scratch_bytes() const = 0;
  // Bytes of backend memory that the plan itself holds.
  virtual std::int64_t held_bytes() const { return 0; }

  // out = epilogue(weight * in + bias).
  //   in    spec.input()
  //   out   spec.output()
  //   mask  spec.convolved(): what gradient() needs; data == nullptr when no gradient will be asked for. Unused for kNone.
  virtual void forward(Features in, Features out, Mask mask, void* scratch) = 0;

  // grad_in = dL/d in, given grad_out = dL/d out and the mask that forward() left for the same in.
  // Where ReLU's argument is not positive its gradient is 0; max pooling gives all of it to the first largest of the four in row
  // order (up to rounding: a backend may treat values within a few float32 ulps as equal).
  // plus: added to grad_in as by gram_gradient or total_variation afterwards, while it is still in cache. A GramTerm's f is of
  // spec.input(); a TotalVariationTerm's x is a picture of spec.input(), not grad_in. Throws ShapeError for a GramTerm with reads_image,
  // and for a TotalVariationTerm without.
  virtual void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus = {}) = 0;
};

// Operations that Backend::record has recorded: a call enqueues them once more and may throw what they do, on a device DeviceError.
using Recording = std::function<void()>;

// The plans that a backend has measured: what was asked for, of which device and library, to what was the quickest. In the backend's own
// words, printable ASCII without quotation marks and backslashes.
using MeasuredPlans = std::map<std::string, std::string>;

class Backend {
 public:
  virtual ~Backend() = default;

  // Name, precision, instruction set, threads: one line for --version and reports.
  virtual std::string description() const = 0;

  // Whether Features have binary16's range instead of float32's: past 65504 lies infinity, below 2^-14 digits are lost, below 2^-25 all.
  // Callers then keep what Features hold times powers of two of theirs; no operation does.
  virtual bool has_half_range() const { return false; }

  // --- memory -------------------------------------------------------------------------------------------------------------------
  // Uninitialised memory, aligned for every use below. Throws OutOfMemoryError.
  virtual Buffer allocate(std::int64_t bytes) = 0;
  virtual std::int64_t vector_bytes(std::int64_t size) const = 0;
  virtual std::int64_t compact_bytes(std::int64_t size) const = 0;
  virtual std::int64_t features_bytes(Shape shape) const = 0;
  virtual std::int64_t mask_bytes(Shape shape) const = 0;

  // Host numbers in and out, as double so that a double backend loses nothing. Features travel as CHW. The host memory may be reused
  // when the call returns; downloads wait for everything enqueued before.
  virtual void upload(std::span<const double> host, Vector vector) = 0;
  virtual void upload(std::span<const double> host, Features features) = 0;
  virtual void download(Vector vector, std::span<double> host) = 0;
  virtual void download(Features features, std::span<double> host) = 0;

  // Copies `host.size()` doubles that operations left at `results` (backend memory) and waits for them.
  virtual void fetch(const double* results, std::span<double> host) = 0;

  // Carries out what `operations` calls of this backend, and records it: the recording does the same again, with the arguments of now
  // (addresses, shapes, coefficients) and what the memory holds then. A device takes a recording in one piece, which costs the host no more
  // than one operation.
  // operations: calls nothing of this backend that allocates, plans, loads, waits, moves host numbers or records; calls the same with the
  // same arguments whenever it is called, which is as often as the backend likes, now and for each replay. Memory, filters and plans that
  // it uses, and the backend, must be there for every call of the recording.
  // Throws what operations throws, and DeviceError; the backend can be used as before.
  virtual Recording record(const std::function<void()>& operations) {
    operations();
    return operations;
  }

  // What is called from here to leave_range belongs to `name`, for profilers that can show it; others see nothing. Ranges nest; Range makes
  // them. They may stand around recordings and in them, where they show only while recording.
  virtual void enter_range(const char* /*name*/) {}
  virtual void leave_range() {}

  // --- convolution, ReLU, pooling -----------------------------------------------------------------------------------------------
  // Throws ShapeError for channels < 1, reads_image without 3 channels, or other than as many numbers as these make.
  virtual std::unique_ptr<Filters> load_filters(const FilterSpec& spec) = 0;
  // Throws ShapeError for a spec no plan can serve (a size < 1; pooling of less than 2x2).
  virtual std::unique_ptr<ConvPlan> plan_conv3x3(const ConvSpec& spec) = 0;
  // From now on plan_conv3x3 makes plans with little scratch (true), however slow, or the quickest (false, as at first). Plans made before
  // stay as they are. False is returned by a backend that has one way only.
  virtual bool prefer_memory(bool prefer) = 0;
  // What BackendOptions::measured_plans brought, and what plan_conv3x3 has measured since. Empty of a backend that measures nothing.
  virtual MeasuredPlans measured_plans() const { return {}; }

  // out = max(in, 0); mask (in.shape) records the signs. out may be in.
  virtual void relu(Features in, Features out, Mask mask) = 0;
  // grad *= (ReLU's argument > 0), in place.
  virtual void relu_gradient(Mask mask, Features grad) = 0;

  // out (c, h/2, w/2) = 2x2 pooling of in (c, h, w). mask (in.shape) records kMax's positions; unused for kAverage.
  virtual void pool2x2(PoolKind kind, Features in, Features out, Mask mask) = 0;
  // grad_in (c, h, w) = dL/d in of pool2x2; an odd last row or column gets 0.
  virtual void pool2x2_gradient(PoolKind kind, Features grad_out, Mask mask, Features grad_in) = 0;

  virtual void fill_zero(Features features) = 0;

  // --- losses -------------------------------------------------------------------------------------------------------------------
  // g (c * c) = F F^T / (h w), F = f as a c x (h w) matrix; symmetric to the bit.             [Gatys et al. 2016, eq. 3]
  virtual void gram(Features f, Vector g, void* scratch) = 0;
  // grad_f += scale * grad_g F, grad_g (c * c) symmetric. For L(G), G = F F^T / (h w): scale = 2 / (h w) gives dL/dF.  [ibid., eq. 6]
  virtual void gram_gradient(const GramTerm& term, Features grad_f, void* scratch) = 0;
  virtual std::int64_t gram_scratch_bytes(Shape shape) const = 0;

  // *result = sum (f - p)^2; grad_f += scale (f - p), unless grad_f.data is nullptr.                              [ibid., eq. 1]
  virtual void feature_distance(Features f, Features p, double scale, Features grad_f, double* result) = 0;

  // *result = sum over channels, rows, columns of (x[i+1,j] - x[i,j])^2 + (x[i,j+1] - x[i,j])^2 (no term past the border);
  // grad += scale * (half the gradient of that sum), unless grad.data is nullptr. x, grad: pictures of `shape`.
  virtual void total_variation(Vector x, Shape shape, double scale, Vector grad, double* result) = 0;

  // --- vectors ------------------------------------------------------------------------------------------------------------------
  virtual void copy(Vector from, Vector to) = 0;

  // result[i * few.size() + j] = many[i] . few[j]. Reads each vector once; all of one size. few.size() <= kMaxFew.
  static constexpr int kMaxFew = 4;
  virtual void dots(std::span<const Vector> many, std::span<const Vector> few, double* result) = 0;

  // out = sum_i coefficients[i] terms[i], in one pass, accumulated in order in at least the vector's precision. out may be one of the
  // terms.
  virtual void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out) = 0;

  // x += t direction, as combine above, where t = min(length, longest / sqrt(*squared / direction.size)), or `length` where that quotient
  // is NaN; *taken = t. So the host can enqueue a step that may not be too long before it knows how long the direction is.
  //   squared  direction . direction, as dots leaves it; elsewhere than taken
  //   length   infinite: as long as may be
  virtual void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken) = 0;

  // Rounds v, kCompactRun numbers after the other, to the nearest multiples of the largest magnitude among them / kCompactDigits, and
  // leaves in `to` what stands for the rounded v: an optimiser's history, which is read from end to end at every step, then takes a quarter
  // of the memory, 8 bits a number. All NaN where one of a run is NaN or infinite; 0 where none reaches kCompactLeast.
  static constexpr int kCompactRun = 128;
  static constexpr int kCompactDigits = 127;
  static constexpr double kCompactLeast = 1e-28;
  virtual void compress(Vector v, CompactVector to) = 0;
  // dots above, of compact vectors; products of up to 2048 numbers may be summed in the vector's precision first.
  virtual void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* result) = 0;
  // out = scale * v + sum_i coefficients[i] terms[i], as combine above. out may be v.
  virtual void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out) = 0;

  // result[0] = sum |v_i|, result[1] = max |v_i|; NaN where any element is NaN.
  virtual void norms(Vector v, double* result) = 0;

  // out = in convolved along rows and columns with [1 4 6 4 1] / 16 whose taps stand `step` apart, borders mirrored half-sample
  // symmetrically (... b a | a b ... y z | z y ...; indices fold as often as needed), each channel by itself: a symmetric operator.
  // One stage of the "a trous" cascade. sum += gain * out, while out is still in cache. All four: pictures of `shape`, all distinct.
  virtual void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch) = 0;

  // One step of Adam [Kingma & Ba 2015, algorithm 1], t = 1, 2, ...: m, v updated, x -= step_size * m^ / (sqrt(v^) + epsilon).
  struct AdamParameters {
    double step_size = 1.0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
  };
  virtual void adam(Vector grad, const AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x) = 0;
};

// A range of a backend's (enter_range), for as long as it lives. Borrows both.
class Range {
 public:
  Range(Backend& backend, const char* name) : backend_(backend) { backend_.enter_range(name); }
  ~Range() { backend_.leave_range(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  Backend& backend_;
};

enum class BackendKind { kReferenceFloat, kReferenceDouble, kCpu, kCuda };

struct BackendOptions {
  BackendKind kind = BackendKind::kCpu;
  // 0: as many as the machine has. The references always run in one.
  int threads = 0;
  // "" picks the best the machine has; otherwise one of the names that cpu_isa_names() gives. kCpu only.
  std::string cpu_isa = {};
  // Output tile M of Winograd's F(M x M, 3 x 3) in all convolutions: 2, 4, 6; 0: the quickest for each layer and size. 2 errs about as
  // direct float32 sums do, at about half the speed; 1 is the direct sum, in double, rounded once. kCpu only.
  int tile = 0;
  // Of Features. kCuda takes all that the device has; kCpu and kReferenceFloat kAuto and kFp32, which are the same to them;
  // kReferenceDouble kAuto only.
  Precision precision = Precision::kAuto;
  // Which CUDA device, counted from 0. kCuda only.
  int cuda_device = 0;
  // Path of the CUDA module; empty: where it usually is (kernels/cuda_module.h).
  std::string cuda_module = {};
  // plan_conv3x3 measures what measured_plans has no answer to and takes the quickest, which takes time and, for that time, memory of the
  // device: OutOfMemoryError where there is not enough. kCuda only.
  bool autotune = false;
  // What Backend::measured_plans gave at another time. What fits is taken, with autotune or without; the rest is kept.
  MeasuredPlans measured_plans = {};
};

// Throws OptionError for threads < 0, another tile, a cpu_isa this machine or build does not have, a precision that the backend or its
// device does not have (the messages list those it has), or autotune without kCuda; DeviceError with the one reason why kCuda cannot be
// had.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

// What CUDA has to offer here, one line a device. Throws DeviceError with the one reason why it has nothing.
std::vector<std::string> describe_cuda_devices_of(const std::string& cuda_module);

// Names accepted as cpu_isa on this machine, best first.
std::span<const std::string> cpu_isa_names();

}  // namespace impasto
