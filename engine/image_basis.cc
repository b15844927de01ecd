#include "engine/image_basis.h"

#include <array>
#include <cmath>

namespace impasto {

ImageBasis::ImageBasis(Backend& backend, Shape image, Workspace& workspace) : backend_(backend), image_(image) {
  for (Vector& v : smoothed_) v = workspace.vector(image.size(), "optimiser");
  scratch_ = workspace.vector(image.size(), "optimiser");
}

void ImageBasis::apply(Vector in, Vector out) {
  // Collected by s_k instead of differences: A z = a_0 s_0 + sum_k (a_k - a_{k-1}) s_k.
  Vector previous = in;
  backend_.copy(in, out);
  for (int k = 0; k < kLevels; ++k) {
    const Vector smoothed = smoothed_[k % 2];
    backend_.smooth(previous, image_, 1 << k, smoothed, scratch_);
    const double weight = std::pow(kGrowth, k + 1) - std::pow(kGrowth, k);
    backend_.combine(std::array{1.0, weight}, std::array{out, smoothed}, out);
    previous = smoothed;
  }
}

}  // namespace impasto
