// Total variation beside a picture's gradient.
#pragma once

#include <cstdint>
#include <numeric>
#include <variant>

#include "kernels/cpu/kernel_table.h"

namespace impasto::cpu {

// Total variation, row by row beside the gradient that it joins, rows of which are still in cache when they are added to. Tasks leave their
// shares of the sum in scratch, to be added up in the tasks' order.
class VariationSum {
 public:
  static std::int64_t scratch_bytes(std::int64_t tasks) { return tasks * static_cast<std::int64_t>(sizeof(double)); }

  // plus: as gradient() has it; borrowed. shares: scratch_bytes(tasks).
  VariationSum(const KernelTable& kernels, const LossTerm& plus, Shape shape, Features grad, void* shares, std::int64_t tasks)
      : kernels_(kernels),
        term_(std::get_if<TotalVariationTerm>(&plus)),
        shape_(shape),
        grad_(static_cast<float*>(grad.data)),
        shares_(static_cast<double*>(shares)),
        tasks_(tasks) {}

  // To be called by `task` before its first row.
  void begin(std::int64_t task) const { shares_[task] = 0; }

  // Row y of one channel, whose gradient has been written. Each row once.
  void add_row(std::int64_t task, int channel, std::int64_t y) const {
    if (term_ == nullptr) return;
    const std::int64_t from = channel * shape_.plane() + y * shape_.w;
    const float* row = static_cast<const float*>(term_->x.data) + from;
    shares_[task] += kernels_.variation_row(row, y > 0 ? row - shape_.w : nullptr, y + 1 < shape_.h ? row + shape_.w : nullptr, shape_.w,
                                            term_->scale, grad_ + from);
  }

  // Once all tasks are done.
  void finish() const {
    if (term_ != nullptr) *term_->result = std::accumulate(shares_, shares_ + tasks_, 0.0);
  }

 private:
  const KernelTable& kernels_;
  const TotalVariationTerm* term_;
  Shape shape_;
  float* grad_;
  double* shares_;
  std::int64_t tasks_;
};

}  // namespace impasto::cpu
