// The convolutions, by cuDNN's graph API: a thin layer, without decisions of ours, that the emulation replaces by loops.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

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
  // Throws DeviceError when there is no plan for it. The plan may outlive this.
  virtual std::unique_ptr<DnnPlan> plan(const Convolution& convolution, Prefer prefer) = 0;
};

std::unique_ptr<Dnn> make_dnn(cudaStream_t stream);

}  // namespace impasto::cuda
