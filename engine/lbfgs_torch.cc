#include "engine/lbfgs_torch.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace impasto {
namespace {

constexpr double kLeastCurvature = 1e-10;
// Results, before those of the history: the direction's norms.
constexpr int kOwnResults = 2;

}  // namespace

int LbfgsTorch::result_count(const StyleOptions& options) { return kOwnResults + LbfgsHistory::result_count(options.history); }

LbfgsTorch::LbfgsTorch(Backend& backend, Shape image, const StyleOptions& options, Results results, Workspace& workspace)
    : backend_(backend),
      learning_rate_(options.learning_rate.value_or(1.0)),
      gradient_tolerance_(options.gradient_tolerance),
      change_tolerance_(options.change_tolerance),
      results_(results),
      history_(backend, image.size(), options.history, LbfgsHistory::Kind::kPlain, results.from(kOwnResults), workspace),
      previous_grad_(workspace.vector(image.size(), "optimiser")),
      direction_(workspace.vector(image.size(), "optimiser")) {}

void LbfgsTorch::ask(Vector grad) {
  if (first_) return;
  backend_.combine(std::array{step_}, std::array{direction_}, history_.offered_step());
  backend_.combine(std::array{1.0, -1.0}, std::array{grad, previous_grad_}, history_.offered_change());
  history_.measure(grad);
}

Optimiser::Verdict LbfgsTorch::advance(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (norms.largest <= gradient_tolerance_) return Verdict::kGradientTolerance;

  double slope = 0;
  double step = learning_rate_;
  if (first_) {
    backend_.combine(std::array{-1.0}, std::array{grad}, direction_);
    slope = -norms.squared;
    step *= std::min(1.0, 1.0 / norms.sum) * first_step_scale_;
    gamma_ = 1.0;
  } else {
    const double largest = results_.host[1];
    if (largest * step_ <= change_tolerance_) return Verdict::kChangeTolerance;
    if (std::abs(loss - previous_loss_) < change_tolerance_) return Verdict::kChangeTolerance;
    const LbfgsHistory::Curvature pair = history_.measured();
    if (pair.sy > kLeastCurvature) {
      history_.keep();
      gamma_ = pair.sy / pair.ymy;
    }
    slope = history_.direction(gamma_, grad, direction_);
  }
  if (slope > -change_tolerance_) return Verdict::kChangeTolerance;

  backend_.norms(direction_, results_.at);
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
