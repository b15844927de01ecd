#include "kernels/cuda/dnn_graph.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "impasto/error.h"
#include "kernels/cuda/storage.h"

namespace impasto::cuda {
namespace {

// Engines that read four numbers at a time ask for it.
constexpr std::int64_t kTensorAlignment = 16;

// cuDNN's own account of the last failure, in one line.
std::string account() {
  std::array<char, 1024> message{};
  cudnnGetLastErrorString(message.data(), message.size());
  const std::string lines(message.data());
  return lines.substr(0, lines.find('\n'));
}

std::string words(cudnnStatus_t status) {
  const std::string more = account();
  return cudnnGetErrorString(status) + (more.empty() ? "" : " (" + more + ")");
}

void set(Descriptor& descriptor, cudnnBackendAttributeName_t name, std::span<const std::int64_t> values) {
  descriptor.set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
}
void set(Descriptor& descriptor, cudnnBackendAttributeName_t name, std::int64_t value) { set(descriptor, name, std::span(&value, 1)); }
void set(Descriptor& descriptor, cudnnBackendAttributeName_t name, float value) { descriptor.set(name, CUDNN_TYPE_FLOAT, 1, &value); }
void set(Descriptor& descriptor, cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  descriptor.set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}

using Sizes = std::array<std::int64_t, 4>;

// Of the sizes (n, c, h, w), in memory (n, h, w, c); `stored` false: handed from one operation to the next, never in memory.
Descriptor tensor(std::int64_t id, const Sizes& sizes, cudnnDataType_t type, bool stored = true) {
  const auto [n, c, h, w] = sizes;
  Descriptor made(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
  set(made, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  set(made, CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  set(made, CUDNN_ATTR_TENSOR_DIMENSIONS, sizes);
  set(made, CUDNN_ATTR_TENSOR_STRIDES, Sizes{h * w * c, 1, w * c, c});
  set(made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kTensorAlignment);
  const bool is_virtual = !stored;
  made.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
  made.finalize();
  return made;
}

Descriptor padded_3x3() {
  Descriptor made(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "a convolution");
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  made.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  set(made, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  set(made, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  const std::array<std::int64_t, 2> ones{1, 1};
  for (const auto name : {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                          CUDNN_ATTR_CONVOLUTION_DILATIONS}) {
    set(made, name, ones);
  }
  made.finalize();
  return made;
}

Descriptor convolve(const Descriptor& convolution, const Descriptor& x, const Descriptor& filters, const Descriptor& y) {
  Descriptor made(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, "a forward convolution");
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, filters);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  set(made, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
  set(made, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
  made.finalize();
  return made;
}

Descriptor convolve_back(const Descriptor& convolution, const Descriptor& dy, const Descriptor& filters, const Descriptor& dx) {
  Descriptor made(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, "a convolution's gradient");
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, filters);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx);
  set(made, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f);
  set(made, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f);
  made.finalize();
  return made;
}

Descriptor pointwise(cudnnPointwiseMode_t mode) {
  Descriptor made(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "a pointwise function");
  made.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
  set(made, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  made.finalize();
  return made;
}

// y = function(x), or function(x, *b).
Descriptor apply(const Descriptor& function, const Descriptor& x, const Descriptor* b, const Descriptor& y) {
  Descriptor made(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "a pointwise operation");
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b != nullptr) made.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  made.finalize();
  return made;
}

cudnnDataType_t stored_type(Precision precision) {
  return precision == Precision::kFp16 ? CUDNN_DATA_HALF : precision == Precision::kBf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// The operation graph of a convolution and, before it, all that it was made from.
std::deque<Descriptor> operation_graph(const Convolution& convolution, const PlanTarget& target) {
  const Sizes x_sizes{1, convolution.in_channels, convolution.h, convolution.w};
  const Sizes y_sizes{1, convolution.out_channels, convolution.h, convolution.w};
  std::deque<Descriptor> parts;
  const auto keep = [&](Descriptor part) -> Descriptor& { return parts.emplace_back(std::move(part)); };
  std::vector<cudnnBackendDescriptor_t> operations;
  const auto perform = [&](Descriptor operation) { operations.push_back(keep(std::move(operation)).raw()); };

  const cudnnDataType_t stored = stored_type(convolution.precision);
  const Descriptor& filters = keep(tensor(kFiltersId, {convolution.out_channels, convolution.in_channels, 3, 3}, stored));
  const Descriptor& padded = keep(padded_3x3());
  if (convolution.kind == Convolution::Kind::kGradient) {
    const Descriptor& dy = keep(tensor(kFromId, y_sizes, stored));
    const Descriptor& dx = keep(tensor(kToId, x_sizes, stored));
    perform(convolve_back(padded, dy, filters, dx));
  } else {
    const bool rectifies = convolution.kind == Convolution::Kind::kForwardRelu;
    const Descriptor& x = keep(tensor(kFromId, x_sizes, stored));
    const Descriptor& product = keep(tensor(kToId + 1, y_sizes, CUDNN_DATA_FLOAT, false));
    const Descriptor& bias = keep(tensor(kBiasId, {1, convolution.out_channels, 1, 1}, stored));
    const Descriptor& sum = keep(rectifies ? tensor(kToId + 2, y_sizes, CUDNN_DATA_FLOAT, false) : tensor(kToId, y_sizes, stored));
    perform(convolve(padded, x, filters, product));
    perform(apply(keep(pointwise(CUDNN_POINTWISE_ADD)), product, &bias, sum));
    if (rectifies) perform(apply(keep(pointwise(CUDNN_POINTWISE_RELU_FWD)), sum, nullptr, keep(tensor(kToId, y_sizes, stored))));
  }
  Descriptor& graph = keep(Descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "an operation graph"));
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(operations.size()), operations.data());
  target.bind_graph(graph);
  graph.finalize();
  return parts;
}

// The descriptors that an attribute consists of.
std::vector<Descriptor> descriptors(const Descriptor& of, cudnnBackendAttributeName_t name, std::int64_t most,
                                    cudnnBackendDescriptorType_t type, const char* what) {
  std::vector<Descriptor> made;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < most; ++i) raw.push_back(made.emplace_back(type, what).raw());
  const std::int64_t written = of.get(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, raw.data());
  made.erase(made.begin() + written, made.end());
  return made;
}

// The configurations of engines that may run the graph, those thought the quickest first.
std::vector<Descriptor> configurations(const Descriptor& graph, const PlanTarget& target, cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "heuristics");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  target.bind_heuristics(heuristics);
  heuristics.finalize();
  const std::int64_t count = heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  return descriptors(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, count, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "an engine's configuration");
}

struct Engine {
  std::int64_t number = 0;
  std::vector<cudnnBackendNumericalNote_t> notes;
};

Engine engine_of(const Descriptor& configuration) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR, "an engine");
  cudnnBackendDescriptor_t raw = engine.raw();
  configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
  Engine read;
  engine.get(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &read.number);
  read.notes.resize(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  const std::int64_t written =
      engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, read.notes.data());
  read.notes.resize(static_cast<std::size_t>(written));
  return read;
}

EngineChoice choice_of(const Descriptor& configuration) {
  EngineChoice choice{engine_of(configuration).number, {}};
  for (const Descriptor& knob : descriptors(configuration, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_KNOB_TYPE_COUNTS,
                                            CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, "a knob's setting")) {
    cudnnBackendKnobType_t type{};
    std::int64_t value = 0;
    knob.get(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
    knob.get(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &value);
    choice.knobs.emplace_back(type, value);
  }
  return choice;
}

// The configuration that the choice stands for, last of `parts`, after what it is made from. Throws DeviceError where cuDNN does not know
// it.
void configure(const EngineChoice& choice, const Descriptor& graph, const PlanTarget& target, std::deque<Descriptor>& parts) {
  Descriptor& engine = parts.emplace_back(CUDNN_BACKEND_ENGINE_DESCRIPTOR, "an engine");
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
  set(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, choice.engine);
  target.bind_engine(engine);
  engine.finalize();
  std::vector<cudnnBackendDescriptor_t> knobs;
  for (const auto& [number, value] : choice.knobs) {
    Descriptor& knob = parts.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, "a knob's setting");
    const auto type = static_cast<cudnnBackendKnobType_t>(number);
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
    set(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value);
    knob.finalize();
    knobs.push_back(knob.raw());
  }
  Descriptor& configuration = parts.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "an engine's configuration");
  configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  configuration.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(knobs), knobs.data());
  configuration.finalize();
}

// Sums in float32 of products in the precision asked for, the same bits every time. cuDNN's graphs have no switch for any of it: it is the
// engines that differ. Winograd's algorithm may be among them: it computes in float32 too, and the CPU backend uses it.
bool is_allowed(const Engine& engine, Precision precision) {
  return std::none_of(engine.notes.begin(), engine.notes.end(), [precision](cudnnBackendNumericalNote_t note) {
    // Of float32 tensors, tensor cores make TF32.
    const bool rounds = note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && precision == Precision::kFp32;
    return rounds || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS || note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
           note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
  });
}

std::string description(const Convolution& convolution) {
  const char* kind = convolution.kind == Convolution::Kind::kGradient      ? "gradient of the "
                     : convolution.kind == Convolution::Kind::kForwardRelu ? "rectified "
                                                                           : "";
  return std::string(kind) + "3x3 convolution of " + std::to_string(convolution.in_channels) + " to " +
         std::to_string(convolution.out_channels) + " channels of " + std::to_string(convolution.w) + "x" + std::to_string(convolution.h);
}

// Of a configuration; to be finalised.
Descriptor planned(const Descriptor& configuration, const PlanTarget& target) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "an execution plan");
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  target.bind_plan(plan);
  return plan;
}

std::int64_t workspace_of(const Descriptor& plan) {
  std::int64_t bytes = 0;
  plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
  return bytes;
}

struct Found {
  Descriptor configuration;
  Descriptor plan;
  std::int64_t engine;
  std::int64_t workspace_bytes;
};

// As list_choices. At least one.
std::vector<Found> find_plans(const Descriptor& graph, const Convolution& convolution, const PlanTarget& target, std::int64_t cap,
                              Prefer prefer, std::size_t most) {
  std::vector<Found> found;
  // Of those that are not small enough.
  std::optional<Found> least;
  std::string refusal = std::string("no engine computes in ") + to_string(convolution.precision) + " and deterministically";
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    if (!found.empty()) break;
    for (Descriptor& configuration : configurations(graph, target, mode)) {
      const Engine engine = engine_of(configuration);
      if (!is_allowed(engine, convolution.precision)) continue;
      Descriptor plan = planned(configuration, target);
      // Heuristics offer configurations that turn out not to be supported.
      if (const cudnnStatus_t status = cudnnBackendFinalize(plan.raw()); status != CUDNN_STATUS_SUCCESS) {
        refusal = words(status);
        continue;
      }
      const std::int64_t workspace_bytes = workspace_of(plan);
      if (workspace_bytes > cap) {
        refusal = "an engine needs " + std::to_string(workspace_bytes) + " bytes";
        continue;
      }
      if (prefer == Prefer::kSpeed || workspace_bytes <= kSmallWorkspace) {
        found.push_back({std::move(configuration), std::move(plan), engine.number, workspace_bytes});
        if (found.size() == most) return found;
      } else if (!least || workspace_bytes < least->workspace_bytes) {
        least.emplace(Found{std::move(configuration), std::move(plan), engine.number, workspace_bytes});
      }
    }
  }
  if (found.empty() && least) found.push_back(std::move(*least));
  if (!found.empty()) return found;
  throw DeviceError("cuDNN has no plan for the " + description(convolution) + " within " + std::to_string(cap) +
                    " bytes of workspace; the last reason: " + refusal);
}

}  // namespace

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw DeviceError(std::string("cuDNN, ") + what + ": " + words(status));
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type, const char* what) : what_(what) {
  cudnnBackendDescriptor_t made = nullptr;
  require(cudnnBackendCreateDescriptor(type, &made), "creating ");
  descriptor_.reset(made);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  require(cudnnBackendSetAttribute(raw(), name, type, count, values), "describing ");
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  const cudnnBackendDescriptor_t raw = value.raw();
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}

void Descriptor::finalize() { require(cudnnBackendFinalize(raw()), "finishing "); }

std::int64_t Descriptor::get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t capacity,
                             void* values) const {
  std::int64_t count = 0;
  require(cudnnBackendGetAttribute(raw(), name, type, capacity, &count, values), "reading ");
  return count;
}

void Descriptor::require(cudnnStatus_t status, const char* doing) const {
  if (status != CUDNN_STATUS_SUCCESS) check(status, (std::string(doing) + what_).c_str());
}

PlanTarget::PlanTarget(const std::string& json) : properties_(std::in_place, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "a device's properties") {
  properties_->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(json.size()), json.data());
  properties_->finalize();
}

void PlanTarget::bind_graph(Descriptor& graph) const {
  if (!properties_) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle_);
}

void PlanTarget::bind_heuristics(Descriptor& heuristics) const {
  if (properties_) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *properties_);
}

void PlanTarget::bind_engine(Descriptor& engine) const {
  if (properties_) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *properties_);
}

void PlanTarget::bind_plan(Descriptor& plan) const {
  if (properties_) {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *properties_);
  } else {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle_);
  }
}

std::int64_t workspace_cap(const Convolution& convolution) {
  const std::int64_t in = convolution.in_channels;
  const std::int64_t out = convolution.out_channels;
  const std::int64_t tensors = ((in + out) * convolution.h * convolution.w + 9 * in * out) * bytes_of(storage_of(convolution.precision));
  return std::max(std::int64_t{512} << 20, tensors + tensors / 8);
}

ChosenPlan choose_plan(const Convolution& convolution, const PlanTarget& target, std::int64_t cap, Prefer prefer) {
  std::deque<Descriptor> parts = operation_graph(convolution, target);
  Found found = std::move(find_plans(parts.back(), convolution, target, cap, prefer, 1).front());
  parts.push_back(std::move(found.configuration));
  return {std::move(parts), std::move(found.plan), found.engine, found.workspace_bytes};
}

std::vector<EngineChoice> list_choices(const Convolution& convolution, const PlanTarget& target, std::int64_t cap, Prefer prefer,
                                       std::size_t most) {
  const std::deque<Descriptor> parts = operation_graph(convolution, target);
  std::vector<EngineChoice> choices;
  for (const Found& found : find_plans(parts.back(), convolution, target, cap, prefer, most)) {
    EngineChoice choice = choice_of(found.configuration);
    // Heuristics may name one twice.
    if (std::find(choices.begin(), choices.end(), choice) == choices.end()) choices.push_back(std::move(choice));
  }
  return choices;
}

std::optional<ChosenPlan> plan_of(const EngineChoice& choice, const Convolution& convolution, const PlanTarget& target, std::int64_t cap) {
  std::deque<Descriptor> parts = operation_graph(convolution, target);
  const Descriptor& graph = parts.back();
  try {
    configure(choice, graph, target, parts);
  } catch (const DeviceError&) {
    return std::nullopt;
  }
  if (!is_allowed(engine_of(parts.back()), convolution.precision)) return std::nullopt;
  Descriptor plan = planned(parts.back(), target);
  if (cudnnBackendFinalize(plan.raw()) != CUDNN_STATUS_SUCCESS) return std::nullopt;
  const std::int64_t workspace_bytes = workspace_of(plan);
  if (workspace_bytes > cap) return std::nullopt;
  return ChosenPlan{std::move(parts), std::move(plan), choice.engine, workspace_bytes};
}

}  // namespace impasto::cuda
