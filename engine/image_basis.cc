#include "engine/image_basis.h"

#include <array>
#include <cstddef>

namespace impasto {

ImageBasis::ImageBasis(Backend& backend, Shape image, Workspace& workspace) : backend_(backend), image_(image) {
  for (Vector& v : smoothed_) v = workspace.vector(image.size(), "optimiser");
  scratch_ = workspace.vector(image.size(), "optimiser");
}

void ImageBasis::apply(Vector in, Vector out) {
  // Collected by s_k instead of differences: A z = kGain[0] s_0 + sum_k (kGain[k] - kGain[k - 1]) s_k.
  std::array<double, kGain.size()> coefficients = {kGain[0]};
  std::array<Vector, kGain.size()> terms = {in};
  for (std::size_t k = 1; k < kGain.size(); ++k) {
    terms[k] = smoothed_[k - 1];
    coefficients[k] = kGain[k] - kGain[k - 1];
    backend_.smooth(terms[k - 1], image_, 1 << (k - 1), terms[k], scratch_);
  }
  backend_.combine(coefficients, terms, out);
}

}  // namespace impasto
