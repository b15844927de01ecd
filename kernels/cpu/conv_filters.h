// Filters as the CPU backend's convolutions read them.
#pragma once

#include "kernels/backend.h"
#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/thread_pool.h"

namespace impasto::cpu {

class CpuFilters : public Filters {
 public:
  // spec as load_filters has checked it.
  CpuFilters(const FilterSpec& spec, ThreadPool& pool, const KernelTable& kernels);

  // (out block, in block, tap, 16 input channels, 16 output channels), zero where channels are padding: what both directions of Winograd's
  // transforms can read whole vectors of, so that one copy serves both.
  const float* packed() const { return static_cast<const float*>(packed_.data()); }
  // (16 out blocks)
  const float* bias() const { return static_cast<const float*>(bias_.data()); }
  // Only with reads_image: forward (group of outputs, 27 inputs, outputs of the group) and gradient (group of kImageTaps, 16 out blocks,
  // taps of the group).
  const float* image_forward() const { return image_forward_; }
  const float* image_gradient() const { return image_gradient_; }

 private:
  void pack(const FilterSpec& spec, ThreadPool& pool);
  void pack_for_image(const FilterSpec& spec, int group_channels);

  Buffer packed_;
  Buffer bias_;
  Buffer image_;
  const float* image_forward_ = nullptr;
  const float* image_gradient_ = nullptr;
};

}  // namespace impasto::cpu
