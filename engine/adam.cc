#include "engine/adam.h"

#include <array>

namespace impasto {
namespace {

constexpr double kStepGreyLevels = 10;

}  // namespace

Adam::Adam(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Workspace& workspace)
    : backend_(backend),
      gradient_tolerance_(options.gradient_tolerance),
      first_moment_(workspace.vector(image.size(), "optimiser")),
      second_moment_(workspace.vector(image.size(), "optimiser")) {
  parameters_.step_size = options.learning_rate.value_or(kStepGreyLevels) / input.grey_levels_per_unit();
}

Optimiser::Verdict Adam::advance(double, const GradientNorms& norms, Vector grad, Vector x) {
  if (norms.largest <= gradient_tolerance_) return Verdict::kGradientTolerance;
  if (t_ == 0) {
    // grad is finite, so this is zero.
    backend_.combine(std::array{0.0}, std::array{grad}, first_moment_);
    backend_.combine(std::array{0.0}, std::array{grad}, second_moment_);
  }
  backend_.adam(grad, parameters_, ++t_, first_moment_, second_moment_, x);
  return Verdict::kContinue;
}

void Adam::restart() {
  t_ = 0;
  parameters_.step_size *= 0.1;
}

}  // namespace impasto
