#include "engine/preconditioner.h"

#include <array>
#include <cstddef>

namespace impasto {

Preconditioner::Preconditioner(Backend& backend, Shape image, Workspace& workspace) : backend_(backend), image_(image) {
  for (Vector& v : smoothed_) v = workspace.vector(image.size(), "optimiser");
  scratch_ = workspace.vector(image.size(), "optimiser");
}

void Preconditioner::apply(Vector in, Vector out) {
  // Collected by s_k instead of differences: M v = kGain[0] s_0 + sum_k (kGain[k] - kGain[k - 1]) s_k.
  backend_.combine(std::array{kGain[0]}, std::array{in}, out);
  Vector last = in;
  for (std::size_t k = 1; k < kGain.size(); ++k) {
    const Vector next = smoothed_[k % 2];
    backend_.smooth(last, image_, 1 << (k - 1), next, kGain[k] - kGain[k - 1], out, scratch_);
    last = next;
  }
}

}  // namespace impasto
