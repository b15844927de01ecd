#include "kernels/cuda/tuner.h"

#include <charconv>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "impasto/error.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/storage.h"
#include "kernels/cuda/timing.h"

namespace impasto::cuda {
namespace {

constexpr std::string_view kEngine = "engine ";
constexpr std::string_view kKnobs = ", knobs";

// Takes `text` off the front of `from`. Whether it was there.
bool take(std::string_view text, std::string_view& from) {
  if (!from.starts_with(text)) return false;
  from.remove_prefix(text.size());
  return true;
}

bool take(std::int64_t& number, std::string_view& from) {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), number);
  if (error != std::errc()) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

const char* name_of(Convolution::Kind kind) {
  switch (kind) {
    case Convolution::Kind::kForward:
      return "forward";
    case Convolution::Kind::kForwardRelu:
      return "forward with ReLU";
    case Convolution::Kind::kGradient:
      return "gradient";
  }
  return "";
}

// The memory of a convolution that is measured, all of it of small finite numbers.
struct Tensors {
  Tensors(const Convolution& convolution, cudaStream_t stream) {
    const std::int64_t in = convolution.in_channels;
    const std::int64_t out = convolution.out_channels;
    const std::int64_t plane = std::int64_t{convolution.h} * convolution.w;
    const bool back = convolution.kind == Convolution::Kind::kGradient;
    const std::int64_t number = bytes_of(storage_of(convolution.precision));
    const auto make = [&](std::int64_t count) {
      // 0.0115 in float32 and in bfloat16.
      constexpr int kByte = 0x3c;
      Buffer made = allocate(count * number);
      check(cudaMemsetAsync(made.data(), kByte, static_cast<std::size_t>(made.bytes()), stream), "filling device memory");
      return made;
    };
    from = make((back ? out : in) * plane);
    filters = make(9 * in * out);
    bias = make(out);
    to = make((back ? in : out) * plane);
  }

  Buffer from;
  Buffer filters;
  Buffer bias;
  Buffer to;
};

}  // namespace

std::string to_string(const EngineChoice& choice) {
  std::string text = std::string(kEngine) + std::to_string(choice.engine) + std::string(kKnobs);
  for (const auto& [knob, value] : choice.knobs) text.append(" ").append(std::to_string(knob)).append("=").append(std::to_string(value));
  return text;
}

std::optional<EngineChoice> engine_choice(const std::string& text) {
  std::string_view rest = text;
  EngineChoice choice;
  if (!take(kEngine, rest) || !take(choice.engine, rest) || !take(kKnobs, rest)) return std::nullopt;
  while (!rest.empty()) {
    auto& [knob, value] = choice.knobs.emplace_back();
    if (!take(" ", rest) || !take(knob, rest) || !take("=", rest) || !take(value, rest)) return std::nullopt;
  }
  return choice;
}

std::string Tuner::name(const Convolution& convolution, Prefer prefer) const {
  std::string text = "cuDNN " + dnn_.version() + ", " + device_ + ", " + to_string(convolution.precision) + ", " +
                     name_of(convolution.kind) + ", " + std::to_string(convolution.in_channels) + " to " +
                     std::to_string(convolution.out_channels) + " channels of " + std::to_string(convolution.w) + "x" +
                     std::to_string(convolution.h) + (prefer == Prefer::kMemory ? ", little memory" : "");
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') c = '_';
  }
  return text;
}

std::shared_ptr<DnnPlan> Tuner::plan(const Convolution& convolution, Prefer prefer) {
  const std::string key = name(convolution, prefer);
  std::shared_ptr<DnnPlan>& plan = plans_[key];
  if (plan == nullptr) plan = make(key, convolution, prefer);
  return plan;
}

std::unique_ptr<DnnPlan> Tuner::make(const std::string& name, const Convolution& convolution, Prefer prefer) {
  const auto known = measured_.find(name);
  if (known != measured_.end()) {
    if (const std::optional<EngineChoice> choice = engine_choice(known->second)) {
      if (std::unique_ptr<DnnPlan> made = dnn_.plan(convolution, *choice)) return made;
    }
  }
  if (!measures_) return dnn_.plan(convolution, prefer);
  const EngineChoice choice = quickest(convolution, prefer);
  measured_[name] = to_string(choice);
  return dnn_.plan(convolution, choice);
}

EngineChoice Tuner::quickest(const Convolution& convolution, Prefer prefer) {
  const std::vector<EngineChoice> choices = dnn_.choices(convolution, prefer, kMostMeasured);
  const Tensors tensors(convolution, stream_);
  const EngineChoice* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  std::optional<OutOfMemoryError> refusal;
  for (const EngineChoice& choice : choices) {
    const std::unique_ptr<DnnPlan> plan = dnn_.plan(convolution, choice);
    // As heuristics' own choice may be: what cannot be made again cannot be kept.
    if (plan == nullptr) continue;
    Buffer workspace;
    try {
      workspace = allocate(plan->workspace_bytes());
    } catch (const OutOfMemoryError& error) {
      refusal = error;
      continue;
    }
    const double milliseconds = median_milliseconds(
        [&] { plan->run(tensors.from.data(), tensors.filters.data(), tensors.bias.data(), tensors.to.data(), workspace.data()); }, stream_);
    if (best != nullptr && milliseconds >= least) continue;
    best = &choice;
    least = milliseconds;
  }
  if (best != nullptr) return *best;
  if (refusal) throw *refusal;
  throw DeviceError("cuDNN makes none of its " + std::to_string(choices.size()) + " plans for " + name(convolution, prefer) + " again");
}

}  // namespace impasto::cuda
