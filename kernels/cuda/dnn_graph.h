// The convolutions as cuDNN's operation graphs, and the choice of a plan among its engines, through cuDNN's C interface. Needs no device:
// plans are made for the device of a handle or for one described in numbers, so that the choice can be checked where there is none.
#pragma once

#include <cudnn_graph.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/dnn.h"

namespace impasto::cuda {

// Throws DeviceError "cuDNN, <what>: <the status> (<the first line of cuDNN's own account>)" unless status is CUDNN_STATUS_SUCCESS.
void check(cudnnStatus_t status, const char* what);

// Owns one descriptor of cuDNN's. `what` names it in error messages ("a tensor") and must outlive it. Everything throws DeviceError.
class Descriptor {
 public:
  Descriptor(cudnnBackendDescriptorType_t type, const char* what);

  // values: `count` values of the attribute's type.
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count, const void* values);
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void finalize();
  // How many of at most `capacity` values were written; for capacity 0 how many there are. Where the values are descriptors, cuDNN fills
  // those that it finds there.
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t capacity, void* values) const;

  cudnnBackendDescriptor_t raw() const { return descriptor_.get(); }

 private:
  void require(cudnnStatus_t status, const char* doing) const;

  struct Destroy {
    // A destructor has nobody to tell.
    void operator()(cudnnBackendDescriptor_t descriptor) const { cudnnBackendDestroyDescriptor(descriptor); }
  };

  std::unique_ptr<void, Destroy> descriptor_;
  const char* what_;
};

// The device that plans are made for.
class PlanTarget {
 public:
  // The handle is borrowed for the life of the target.
  explicit PlanTarget(cudnnHandle_t handle) : handle_(handle) {}
  // As cuDNN writes CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION. Such plans cannot be run.
  explicit PlanTarget(const std::string& json);

  void bind_graph(Descriptor& graph) const;
  void bind_heuristics(Descriptor& heuristics) const;
  void bind_engine(Descriptor& engine) const;
  void bind_plan(Descriptor& plan) const;

 private:
  cudnnHandle_t handle_ = nullptr;
  std::optional<Descriptor> properties_;  // where there is no handle
};

// The names by which a plan takes its memory.
enum TensorId : std::int64_t { kFromId = 1, kFiltersId, kBiasId, kToId };

struct ChosenPlan {
  // All that the plan was made from: cuDNN does not promise that a plan needs none of it any more.
  std::deque<Descriptor> parts;
  Descriptor plan;
  // cuDNN's number of the engine, for tables.
  std::int64_t engine = 0;
  std::int64_t workspace_bytes = 0;
};

// The most workspace a plan may have: 512 MiB, and where that is more, what the convolution's tensors take and an eighth. Engines for
// float32 proper work channel by channel and copy all tensors into that order and back; where there is no room for the copies, what is left
// are engines of last resort, so a fixed cap would be a cliff in speed at some size of picture (512 MiB: 1024 x 1024).
std::int64_t workspace_cap(const Convolution& convolution);

// What Prefer::kMemory counts as a small workspace. All convolutions of a run share one, so it is the shallow layers of a large picture
// whose plans matter; at 1024 x 1024 the deep ones, most of the work, keep their quick plans.
inline constexpr std::int64_t kSmallWorkspace = std::int64_t{128} << 20;

// Of the plans that compute in the convolution's precision, deterministically and with at most `cap` bytes of workspace, the first in the
// order of cuDNN's heuristics. For Prefer::kMemory the first with a small workspace or, where none is small, with the least. Throws
// DeviceError where there is none.
ChosenPlan choose_plan(const Convolution& convolution, const PlanTarget& target, std::int64_t cap, Prefer prefer = Prefer::kSpeed);

// Those plans in that order, at most `most`, each once: the first is choose_plan's. For Prefer::kMemory those with a small workspace or,
// where none is small, the one with the least. Throws DeviceError where there is none.
std::vector<EngineChoice> list_choices(const Convolution& convolution, const PlanTarget& target, std::int64_t cap, Prefer prefer,
                                       std::size_t most);

// The plan that the choice makes; none where it is not one of this cuDNN and device, or not one that choose_plan may take.
std::optional<ChosenPlan> plan_of(const EngineChoice& choice, const Convolution& convolution, const PlanTarget& target, std::int64_t cap);

}  // namespace impasto::cuda
