// The straight line: pixels -> network input -> evaluate, step, evaluate, step ... -> pixels.
#include "impasto/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/network.h"
#include "engine/network_input.h"
#include "engine/objective.h"
#include "engine/optimiser.h"
#include "engine/plan_cache.h"
#include "engine/run_memory.h"
#include "impasto/error.h"
#include "kernels/backend.h"

namespace impasto {
namespace {

// After so many returns to the best picture the losses are beyond what the arithmetic can hold.
constexpr int kMostRestarts = 3;

struct Chosen {
  Device device;
  std::unique_ptr<Backend> backend;
  PlanCache plan_cache;
};

Chosen backend_for(const SessionOptions& options) {
  BackendOptions backend{.threads = options.threads,
                         .cpu_isa = options.cpu_isa,
                         .tile = options.tile,
                         .precision = options.precision,
                         .cuda_device = options.cuda_device,
                         .cuda_module = options.cuda_module,
                         .autotune = options.autotune};
  const auto make_cuda = [&] {
    PlanCache plan_cache(options.plan_cache);
    backend.kind = BackendKind::kCuda;
    backend.measured_plans = plan_cache.read();
    return Chosen{Device::kCuda, make_backend(backend), std::move(plan_cache)};
  };
  if (options.device == Device::kReference) backend.kind = BackendKind::kReferenceDouble;
  if (options.device == Device::kReferenceFloat) backend.kind = BackendKind::kReferenceFloat;
  if (options.device == Device::kCuda) return make_cuda();
  // Who asks for a precision of CUDA's, or for its engines to be measured, means CUDA.
  const bool is_precision_of_cuda = options.precision != Precision::kAuto && options.precision != Precision::kFp32;
  if (options.device == Device::kAuto && (is_precision_of_cuda || options.autotune)) return make_cuda();
  // Who chooses among the CPU's ways means the CPU.
  if (options.device == Device::kAuto && options.threads == 0 && options.cpu_isa.empty() && options.tile == 0) {
    try {
      return make_cuda();
    } catch (const DeviceError&) {
      backend.kind = BackendKind::kCpu;
    }
  }
  return {options.device == Device::kAuto ? Device::kCpu : options.device, make_backend(backend), PlanCache("")};
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void require_same_size(const char* what, const Image& image, const Image& content) {
  if (image.width == content.width && image.height == content.height) return;
  throw ShapeError(std::string(what) + " has " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                   " pixels; expected the content's " + std::to_string(content.width) + "x" + std::to_string(content.height));
}

// prepare, and what that has measured is kept.
template <class Memory>
std::unique_ptr<Prepared<Memory>> prepare(Backend& backend, PlanCache& plan_cache, Network& network, const Image& content,
                                          std::span<const Image> styles, const StyleOptions& options) {
  std::unique_ptr<Prepared<Memory>> prepared = prepare<Memory>(backend, network, content, styles, options);
  plan_cache.keep(backend.measured_plans());
  for (std::string& notice : plan_cache.take_notices()) prepared->notices.push_back(std::move(notice));
  return prepared;
}

StopReason stop_reason(Optimiser::Verdict verdict) {
  return verdict == Optimiser::Verdict::kGradientTolerance ? StopReason::kGradientTolerance : StopReason::kChangeTolerance;
}

template <class Memory>
std::vector<std::string> notices_of(const Prepared<Memory>& prepared) {
  std::vector<std::string> notices = prepared.notices;
  if (const int repeated = prepared.memory.objective.repeated(); repeated > 0) {
    notices.push_back("gradients passed what fp16 holds at " + std::to_string(repeated) +
                      " of the pictures evaluated and were computed again there; fp32, tf32 and bf16 hold them");
  }
  return notices;
}

}  // namespace

struct Session::State {
  template <class LoadNetwork>
  State(const SessionOptions& options, const LoadNetwork& load) : State(backend_for(options), load) {}
  template <class LoadNetwork>
  State(Chosen chosen, const LoadNetwork& load)
      : device(chosen.device), backend(std::move(chosen.backend)), plan_cache(std::move(chosen.plan_cache)), network(load(*backend)) {}

  Device device;
  std::unique_ptr<Backend> backend;
  PlanCache plan_cache;
  Network network;
};

Session::Session(const std::string& weights_path, const SessionOptions& options)
    : state_(new State(options, [&](Backend& backend) { return Network::open(backend, weights_path); })) {}

Session Session::untrained(std::uint64_t seed, const SessionOptions& options) {
  return Session(std::make_unique<State>(options, [&](Backend& backend) { return Network::untrained(backend, seed); }));
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const NetworkInfo& Session::network() const { return state_->network.info(); }
Device Session::device() const { return state_->device; }
std::string Session::device_description() const { return state_->backend->description(); }

Result Session::stylize(const Image& content, std::span<const Image> styles, const StyleOptions& options, const Observer& observer,
                        const Image* init_picture) {
  options.validate();
  if ((options.init == Init::kPicture) != (init_picture != nullptr)) {
    throw OptionError("init is a picture exactly when init_picture is given");
  }
  Backend& backend = *state_->backend;
  Network& network = state_->network;
  const NetworkInput& input = network.input();
  const Shape shape = shape_of(content);

  const std::unique_ptr<Prepared<RunMemory>> prepared = prepare<RunMemory>(backend, state_->plan_cache, network, content, styles, options);
  RunMemory& run = prepared->memory;
  Result result;
  result.style_weights = prepared->style_weights;
  backend.upload(preprocess(content, input), run.x);
  run.objective.set_targets(run.x, prepared->targets, result.style_weights);
  if (options.init == Init::kRandom) {
    backend.upload(noise(shape.size(), options.seed, input), run.x);
  } else if (options.init == Init::kPicture) {
    require_same_size("the picture to start from", *init_picture, content);
    backend.upload(preprocess(*init_picture, input), run.x);
  }

  const std::function<Image()> best_picture = [&] {
    std::vector<double> values(shape.size());
    backend.download(run.best, values);
    return postprocess(values, content.width, content.height, input);
  };
  double best_loss = std::numeric_limits<double>::infinity();
  int restarts = 0;
  const int evaluations = std::max(options.iterations, 1);
  // Every record is made before the loop, which then allocates nothing.
  result.evaluations.assign(evaluations, {.losses = {.style = std::vector<double>(options.style_layers.size())}});
  backend.copy(run.x, run.best);
  const Stopwatch run_time;
  int index = 1;
  const std::function<void()> ask = [&] {
    // The last evaluation is nobody's beginning.
    if (index == evaluations) return;
    const Range range(backend, "optimiser");
    run.optimiser->ask(run.grad);
  };
  for (;; ++index) {
    const Stopwatch evaluation_time;
    const StyleObjective::Value& value = run.objective.evaluate(run.x, run.grad, ask);
    const bool finite = std::isfinite(value.losses.total) && std::isfinite(value.gradient.squared);
    if (value.losses.total < best_loss && finite) {
      best_loss = value.losses.total;
      backend.copy(run.x, run.best);
    }
    Evaluation& evaluation = result.evaluations[index - 1];
    evaluation.index = index;
    evaluation.seconds = evaluation_time.seconds();
    evaluation.elapsed = run_time.seconds();
    evaluation.losses = value.losses;
    evaluation.gradient_rms = std::sqrt(value.gradient.squared / shape.size());

    if (observer && !observer({evaluation, evaluations, best_picture})) {
      result.stop_reason = StopReason::kCancelled;
      break;
    }
    if (!finite && restarts == kMostRestarts) {
      result.stop_reason = StopReason::kNotFinite;
      break;
    }
    if (index == evaluations) {
      result.stop_reason = finite ? StopReason::kIterations : StopReason::kNotFinite;
      break;
    }
    if (!finite) {
      ++restarts;
      backend.copy(run.best, run.x);
      run.optimiser->restart();
      continue;
    }
    const Range range(backend, "optimiser");
    const Optimiser::Verdict verdict = run.optimiser->advance(evaluation.losses.total, value.gradient, run.grad, run.x);
    if (verdict != Optimiser::Verdict::kContinue) {
      result.stop_reason = stop_reason(verdict);
      break;
    }
  }
  result.evaluations.resize(index);
  result.image = best_picture();
  result.notices = notices_of(*prepared);
  return result;
}

struct Evaluator::State {
  State(Backend& backend_, PlanCache& plan_cache, Network& network, const Image& content_, std::span<const Image> styles,
        const StyleOptions& options)
      : backend(backend_),
        input(network.input()),
        width(content_.width),
        height(content_.height),
        prepared(prepare<EvaluationMemory>(backend, plan_cache, network, content_, styles, options)),
        memory(prepared->memory),
        input_gradient(memory.grad.size) {
    backend.upload(preprocess(content_, input), memory.x);
    memory.objective.set_targets(memory.x, prepared->targets, prepared->style_weights);
  }

  void take(const Image& pixels) {
    require_same_size("the picture to evaluate", pixels, {width, height, {}});
    backend.upload(preprocess(pixels, input), memory.x);
  }

  Backend& backend;
  const NetworkInput& input;
  int width;
  int height;
  std::unique_ptr<Prepared<EvaluationMemory>> prepared;
  EvaluationMemory& memory;
  std::vector<double> input_gradient;
};

Evaluator::Evaluator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;
Evaluator::~Evaluator() = default;

PixelGradient Evaluator::evaluate(const Image& pixels) {
  State& state = *state_;
  state.take(pixels);
  const StyleObjective::Value& value = state.memory.objective.evaluate(state.memory.x, state.memory.grad);
  state.backend.download(state.memory.grad, state.input_gradient);
  return {value.losses, pixel_gradient(state.input_gradient, state.width, state.height, state.input), state.prepared->style_weights,
          notices_of(*state.prepared)};
}

std::vector<double> Evaluator::seconds(const Image& pixels, int evaluations) {
  if (evaluations < 1) throw OptionError("evaluations is " + std::to_string(evaluations) + "; expected at least 1");
  state_->take(pixels);
  std::vector<double> seconds(static_cast<std::size_t>(evaluations));
  for (double& each : seconds) {
    const Stopwatch time;
    state_->memory.objective.evaluate(state_->memory.x, state_->memory.grad);
    each = time.seconds();
  }
  return seconds;
}

Evaluator Session::evaluator(const Image& content, std::span<const Image> styles, const StyleOptions& options) {
  options.validate();
  return Evaluator(std::make_unique<Evaluator::State>(*state_->backend, state_->plan_cache, state_->network, content, styles, options));
}

PixelGradient Session::evaluate(const Image& pixels, const Image& content, std::span<const Image> styles, const StyleOptions& options) {
  return evaluator(content, styles, options).evaluate(pixels);
}

std::vector<MemoryUse> Session::memory_plan(const Image& content, std::span<const Image> styles, const StyleOptions& options) const {
  options.validate();
  Backend& backend = *state_->backend;
  Network& network = state_->network;
  std::vector<MemoryUse> plan = measured<RunMemory>(backend, network, shape_of(content), options).uses();
  std::int64_t beyond = StyleTargets::peak_bytes(backend, network, styles, options);
  for (const MemoryUse& use : plan) beyond -= use.bytes;
  plan.push_back({"style targets", StyleTargets::held_bytes(backend, options)});
  if (beyond > 0) plan.push_back({"style pictures, before the rest and beyond it", beyond});
  std::stable_sort(plan.begin(), plan.end(), [](const MemoryUse& a, const MemoryUse& b) { return a.bytes > b.bytes; });
  return plan;
}

std::vector<double> NetworkInfo::default_style_weights(std::size_t layers) const {
  if (untrained) return {};
  constexpr double kOxfordWeight = 1000;
  const double units = input_scale == 255 ? 1.0 : grey_levels_per_unit;
  return std::vector<double>(layers, kOxfordWeight * units * units);
}

std::string to_string(StopReason reason) {
  switch (reason) {
    case StopReason::kIterations:
      return "iterations";
    case StopReason::kGradientTolerance:
      return "gradient tolerance";
    case StopReason::kChangeTolerance:
      return "change tolerance";
    case StopReason::kCancelled:
      return "cancelled";
    case StopReason::kNotFinite:
      return "not finite";
  }
  return "unknown";
}

std::string version() { return IMPASTO_VERSION; }

std::vector<std::string> devices(const std::string& cuda_module) {
  std::vector<std::string> lines = {make_backend({})->description()};
  try {
    int device = 0;
    for (const std::string& line : describe_cuda_devices_of(cuda_module)) lines.push_back("cuda:" + std::to_string(device++) + ": " + line);
  } catch (const DeviceError& error) {
    lines.push_back(std::string("cuda: none: ") + error.what());
  }
  return lines;
}

std::vector<std::string> cpu_isas() {
  const std::span<const std::string> names = cpu_isa_names();
  return {names.begin(), names.end()};
}

}  // namespace impasto
