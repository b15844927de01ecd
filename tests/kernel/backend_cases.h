// The backends under proof. A further one is one more entry in backend_cases(), or a backend_cases() of its own in another test program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "tests/support/compare.h"
#include "tests/support/tolerance.h"
#include "tests/support/workbench.h"

namespace impasto::testing_support {

// Parts of a backend, each with those before it.
enum class Part { kConvolutions, kFeatures, kVectors };

struct BackendCase {
  std::string name;
  // Each makes the same backend with everything that must not change a bit varied: thread counts, or the order of threads.
  std::vector<std::function<std::unique_ptr<Backend>()>> variants;
  // What its convolutions are held to.
  Tolerance convolution;
  // The largest part of it that is not another case's: a tile's or a precision's vectors need no second proof.
  Part own = Part::kVectors;
  MemoryAccess memory = host_memory();
  // In what it keeps features: the double reference's are rounded to the same wherever tests write or read them.
  Precision precision = Precision::kFp32;
  Tolerance gram = tolerance::kMatrixProduct;
  Tolerance gram_gradient = tolerance::kMatrixProduct;
  // Of a few operations on features.
  Tolerance features = tolerance::kFloatExpression;
  // How near ReLU's kink, or another of a pooling window, convolved values of RMS 1 may be before rounding decides; and what it does to
  // gradients through several layers where it does.
  double kink_margin = tolerance::kKinkMargin;
  double cosine_across_kinks = tolerance::kCosineAcrossKinks;
  Tolerance norm_across_kinks = tolerance::kGradientNormAcrossKinks;
};

// The CUDA backend in a precision, with the tolerances that belong to it, without variants.
BackendCase cuda_case(const std::string& name, Precision precision);

std::string name(const BackendCase& backend);
std::ostream& operator<<(std::ostream& out, const BackendCase& backend);

// Every backend of this build that runs on this machine.
std::vector<BackendCase> backend_cases();
// Those of them that have the part to themselves.
std::vector<BackendCase> backend_cases_of(Part part);

// The backends of a case, one for each variant; made once and kept.
const std::vector<std::unique_ptr<Backend>>& instances(const BackendCase& backend);

}  // namespace impasto::testing_support
