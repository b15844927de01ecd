// What the default optimiser takes for the inverse of the losses' curvature before it has measured any. Pictures are smooth: a change of
// coarse structure needs a step of many grey levels, fine detail few, and the curvature grows with spatial frequency. L-BFGS that starts
// from such an M instead of a multiple of the identity needs fewer evaluations.
#pragma once

#include <array>

#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

// M is symmetric and positive definite: with s_0 = v, s_{k+1} = smooth(s_k, step 2^k) (the "a trous" cascade, whose responses lie in
// [0, 1]),
//   M v = kGain[0] (s_0 - s_1) + kGain[1] (s_1 - s_2) + ... + kGain[K] s_K:
// octave k of the spectrum is amplified kGain[k] times.
class Preconditioner {
 public:
  Preconditioner(Backend& backend, Shape image, Workspace& workspace);

  // out = M in. Pictures; in and out distinct.
  void apply(Vector in, Vector out);

  // Fitted, to 5% RMS, to the response (f^2 + 0.005^2)^(-1/2), f in cycles per pixel: inverse curvature falls as frequency grows. Rising,
  // so that M is a positive sum of positive operators. docs/optimiser.md compares responses.
  static constexpr std::array<double, 7> kGain = {1.0, 4.23, 6.87, 16.1, 29.6, 54.8, 90.7};

 private:
  Backend& backend_;
  Shape image_;
  std::array<Vector, 2> smoothed_;  // s_k and s_{k+1}
  Vector scratch_;
};

}  // namespace impasto
