// The plans of convolutions, each made once, and their choice by measuring them: cuDNN's heuristics only guess which engine is the
// quickest.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kernels/backend.h"
#include "kernels/cuda/dnn.h"

namespace impasto::cuda {

// As MeasuredPlans have it: "engine 12, knobs 2=1 13=0".
std::string to_string(const EngineChoice& choice);
// Nothing for what to_string does not make.
std::optional<EngineChoice> engine_choice(const std::string& text);

class Tuner {
 public:
  // device: what it is, in words; plans that were measured on one so called count here. dnn, stream: borrowed.
  Tuner(Dnn& dnn, cudaStream_t stream, std::string device, bool measures, MeasuredPlans known)
      : dnn_(dnn), stream_(stream), device_(std::move(device)), measures_(measures), measured_(std::move(known)) {}

  // The plan that was measured to be the quickest of the first kMostMeasured of Dnn::choices, now if there is no such plan yet and the
  // tuner measures; otherwise the plan that Dnn chooses. The same plan for the same arguments each time. While it measures it takes the
  // convolution's tensors and workspace of the device's memory, and passes over plans whose workspace has no room beside the tensors.
  // Throws DeviceError, OutOfMemoryError.
  std::shared_ptr<DnnPlan> plan(const Convolution& convolution, Prefer prefer);

  // Those known from the start, and those measured since.
  const MeasuredPlans& measured() const { return measured_; }

  // Heuristics name 20 to 40, in the order that they expect: all would take four times as long to measure.
  static constexpr std::size_t kMostMeasured = 8;

 private:
  std::string name(const Convolution& convolution, Prefer prefer) const;
  std::unique_ptr<DnnPlan> make(const std::string& name, const Convolution& convolution, Prefer prefer);
  EngineChoice quickest(const Convolution& convolution, Prefer prefer);

  Dnn& dnn_;
  cudaStream_t stream_;
  std::string device_;
  bool measures_;
  MeasuredPlans measured_;
  // By name: a run plans twice, first to count its memory, and pictures of one size share.
  std::map<std::string, std::shared_ptr<DnnPlan>> plans_;
};

}  // namespace impasto::cuda
