#include "engine/lbfgs_torch.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace impasto {
namespace {

constexpr double kLeastCurvature = 1e-10;

}  // namespace

LbfgsTorch::LbfgsTorch(Backend& backend, Shape image, const StyleOptions& options, Workspace& workspace)
    : backend_(backend),
      learning_rate_(options.learning_rate.value_or(1.0)),
      gradient_tolerance_(options.gradient_tolerance),
      change_tolerance_(options.change_tolerance),
      history_(backend, image.size(), options.history, LbfgsHistory::Kind::kPlain, workspace),
      previous_grad_(workspace.vector(image.size(), "optimiser")),
      direction_(workspace.vector(image.size(), "optimiser")),
      results_(static_cast<double*>(workspace.take(5 * sizeof(double), "results"))) {}

Optimiser::Verdict LbfgsTorch::advance(double loss, Vector grad, Vector x) {
  backend_.norms(grad, results_);
  backend_.dots(std::array{grad}, std::array{grad}, results_ + 2);
  if (!first_) backend_.norms(direction_, results_ + 3);
  std::array<double, 5> host = {};
  backend_.fetch(results_, std::span(host).first(first_ ? 3 : 5));
  const auto [grad_sum, grad_max, grad_norm_squared, direction_sum, direction_max] = host;
  if (grad_max <= gradient_tolerance_) return Verdict::kGradientTolerance;

  double slope = 0;
  double step = learning_rate_;
  if (first_) {
    backend_.combine(std::array{-1.0}, std::array{grad}, direction_);
    slope = -grad_norm_squared;
    step *= std::min(1.0, 1.0 / grad_sum) * first_step_scale_;
    gamma_ = 1.0;
  } else {
    if (direction_max * step_ <= change_tolerance_) return Verdict::kChangeTolerance;
    if (std::abs(loss - previous_loss_) < change_tolerance_) return Verdict::kChangeTolerance;
    backend_.combine(std::array{step_}, std::array{direction_}, history_.offered_step());
    backend_.combine(std::array{1.0, -1.0}, std::array{grad, previous_grad_}, history_.offered_change());
    const LbfgsHistory::Curvature pair = history_.measure(grad, grad);
    if (pair.sy > kLeastCurvature) {
      history_.keep();
      gamma_ = pair.sy / pair.ymy;
    }
    slope = history_.direction(gamma_, grad, direction_);
  }
  if (slope > -change_tolerance_) return Verdict::kChangeTolerance;

  backend_.copy(grad, previous_grad_);
  backend_.combine(std::array{1.0, step}, std::array{x, direction_}, x);
  first_ = false;
  previous_loss_ = loss;
  step_ = step;
  return Verdict::kContinue;
}

void LbfgsTorch::restart() {
  history_.clear();
  first_ = true;
  first_step_scale_ *= 0.1;
}

}  // namespace impasto
