// The basis the default optimiser works in. Pictures are smooth: a change of coarse structure needs a step of many grey levels, fine
// detail few, and the losses' curvature grows with spatial frequency. Writing x = x0 + A z with A amplifying coarse scales
// brings the curvatures in z closer together, and L-BFGS, which starts from a multiple of the identity, needs fewer evaluations.
#pragma once

#include <vector>

#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

// A is symmetric and positive definite: with s_0 = z, s_{k+1} = smooth(s_k, step 2^k) (the "a trous" cascade, whose responses lie in [0,
// 1]),
//   A z = a_0 (s_0 - s_1) + a_1 (s_1 - s_2) + ... + a_K s_K,   a_k = kGrowth^k:
// octave k of the spectrum is amplified kGrowth^k times.
class ImageBasis {
 public:
  ImageBasis(Backend& backend, Shape image, Workspace& workspace);

  // out = A in. Pictures; in and out distinct.
  void apply(Vector in, Vector out);

  // sqrt(2): amplitude ~ 1 / sqrt(frequency). docs/optimiser.md has the comparison.
  static constexpr double kGrowth = 1.4142135623730951;
  // Beyond 2^5 pixels there is little left to amplify, and the next octave brought nothing measurable.
  static constexpr int kLevels = 6;

 private:
  Backend& backend_;
  Shape image_;
  Vector smoothed_[2];
  Vector scratch_;
};

}  // namespace impasto
