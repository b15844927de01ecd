// The convolutions, by cuDNN's graph API: a thin layer, without decisions of ours, that the emulation replaces by loops.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "impasto/precision.h"

namespace impasto::cuda {

// A 3x3 cross-correlation, stride 1, zero padding 1, channels fastest. The filters lie as (out_channels, 3, 3, in_channels).
struct Convolution {
  enum class Kind {
    kForward,      // y = x * w + bias
    kForwardRelu,  // y = max(x * w + bias, 0); a NaN may become 0
    kGradient      // x = dL/dx for y = dL/dy; no bias
  };
  Kind kind = Kind::kForward;
  int h = 0;
  int w = 0;
  int in_channels = 0;
  int out_channels = 0;
  // kFp32, kTf32: tensors in float32. kFp16, kBf16: in binary16 and bfloat16, the bias too, for which cuDNN has engines ready-made. Sums
  // are float32.
  Precision precision = Precision::kFp32;
};

// Among the plans for a convolution: the one thought the quickest with a workspace as large as the tensors, or with a small one.
enum class Prefer { kSpeed, kMemory };

// One of cuDNN's engines and how it is set: the same version of cuDNN makes the same plan of it.
struct EngineChoice {
  std::int64_t engine = 0;
  // (knob, setting), as cuDNN numbers them.
  std::vector<std::pair<std::int64_t, std::int64_t>> knobs;

  bool operator==(const EngineChoice&) const = default;
};

class DnnPlan {
 public:
  virtual ~DnnPlan() = default;
  virtual std::int64_t workspace_bytes() const = 0;
  // from: x (kGradient: y); to: y (kGradient: x); bias (out_channels), unused for kGradient. workspace: workspace_bytes(), any content.
  // Tensors aligned to 16 bytes, the workspace to 256. Enqueued on the stream; does not wait. Throws DeviceError.
  virtual void run(const void* from, const void* filters, const void* bias, void* to, void* workspace) = 0;
};

class Dnn {
 public:
  virtual ~Dnn() = default;
  // Of cuDNN, "9.19.0".
  virtual std::string version() const = 0;
  // Throws DeviceError when there is no plan for it. The plan may outlive this.
  virtual std::unique_ptr<DnnPlan> plan(const Convolution& convolution, Prefer prefer) = 0;
  // What that plan is made of, then what would be taken in its place, at most `most` in all. Throws DeviceError as it does.
  virtual std::vector<EngineChoice> choices(const Convolution& convolution, Prefer prefer, std::size_t most) = 0;
  // nullptr where the choice makes no plan here, or none that choices() might name: what is not of this cuDNN and device, not in the
  // convolution's precision, not deterministic, or with too large a workspace.
  virtual std::unique_ptr<DnnPlan> plan(const Convolution& convolution, const EngineChoice& choice) = 0;
};

std::unique_ptr<Dnn> make_dnn(cudaStream_t stream);

}  // namespace impasto::cuda
