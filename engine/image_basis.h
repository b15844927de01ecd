// The basis the default optimiser works in. Pictures are smooth: a change of coarse structure needs a step of many grey levels, fine
// detail few, and the losses' curvature grows with spatial frequency. Writing x = x0 + A z with A amplifying coarse scales
// brings the curvatures in z closer together, and L-BFGS, which starts from a multiple of the identity, needs fewer evaluations.
#pragma once

#include <array>

#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

// A is symmetric and positive definite: with s_0 = z, s_{k+1} = smooth(s_k, step 2^k) (the "a trous" cascade, whose responses lie in [0,
// 1]),
//   A z = kGain[0] (s_0 - s_1) + kGain[1] (s_1 - s_2) + ... + kGain[K] s_K:
// octave k of the spectrum is amplified kGain[k] times.
class ImageBasis {
 public:
  ImageBasis(Backend& backend, Shape image, Workspace& workspace);

  // out = A in. Pictures; in and out distinct.
  void apply(Vector in, Vector out);

  // Fitted, to 5% RMS, to the response (f^2 + 0.005^2)^(-1/4), f in cycles per pixel: amplitude falls as the root of frequency. Rising, so
  // that A is a positive sum of positive operators. docs/optimiser.md compares responses.
  static constexpr std::array<double, 8> kGain = {1.0, 2.24, 2.56, 4.3, 5.4, 7.8, 9.2, 9.6};

 private:
  Backend& backend_;
  Shape image_;
  std::array<Vector, 2> smoothed_;  // s_k and s_{k+1}
  Vector scratch_;
};

}  // namespace impasto
