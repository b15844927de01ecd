#include "engine/lbfgs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace impasto {
namespace {

// The first step, along -g, is one grey level RMS: large enough that the change of the gradient is signal and not float32 rounding, which
// is what ruins torch's start from the content picture.
constexpr double kFirstStepGreyLevels = 1.0;
// No step moves the picture more than this, RMS.
constexpr double kLongestStepGreyLevels = 20.0;
// Insisting on descent costs more evaluations than small rises do.
constexpr double kTolerableRise = 0.1;
// H0 = kInverseCurvature (s . y) / (y . M y) M. That quotient leans to the stiffest direction of the last step, and longer steps outside
// the remembered subspace pay: with 2 instead of 1 the worst of the pairs in docs/optimiser.md went from 0.95 to 0.80; 4 was no better.
constexpr double kInverseCurvature = 2.0;
// A pair enters the history where s . y > kLeastCosine |s| |M^(1/2) y|.
constexpr double kLeastCosine = 1e-10;
// After so many rejections of one step the history is no guide here: start again from the gradient.
constexpr int kMostRejections = 4;

}  // namespace

Lbfgs::Lbfgs(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Workspace& workspace)
    : backend_(backend),
      gradient_tolerance_(options.gradient_tolerance),
      change_tolerance_(options.change_tolerance),
      first_step_(kFirstStepGreyLevels / input.grey_levels_per_unit()),
      longest_step_(kLongestStepGreyLevels / input.grey_levels_per_unit()),
      preconditioner_(backend, image, workspace),
      history_(backend, image.size(), options.history, LbfgsHistory::Kind::kPreconditioned, workspace),
      base_grad_(workspace.vector(image.size(), "optimiser")),
      scaled_grad_(workspace.vector(image.size(), "optimiser")),
      base_scaled_grad_(workspace.vector(image.size(), "optimiser")),
      direction_(workspace.vector(image.size(), "optimiser")),
      results_(static_cast<double*>(workspace.take(2 * sizeof(double), "results"))) {}

Optimiser::Verdict Lbfgs::advance(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (!first_ && !acceptable(loss)) return retreat(loss, x);
  return accept(loss, norms, grad, x);
}

bool Lbfgs::acceptable(double loss) const { return loss <= base_loss_ + kTolerableRise * std::abs(base_loss_); }

Optimiser::Verdict Lbfgs::retreat(double loss, Vector x) {
  const double refused = step_;
  if (++rejected_ > kMostRejections) {
    move(-refused, x);
    // base_grad_ is still the gradient there.
    restart();
    choose_direction(base_grad_, base_scaled_grad_);
    first_ = false;
    move(step_, x);
    return Verdict::kContinue;
  }
  // The minimiser of the parabola through the loss and slope at the last accepted x and the loss here, within [0.1, 0.5] of the step.
  const double curvature = 2 * (loss - base_loss_ - refused * slope_);
  step_ *= std::clamp(-refused * slope_ / curvature, 0.1, 0.5);
  move(step_ - refused, x);
  return Verdict::kContinue;
}

void Lbfgs::move(double step, Vector x) { backend_.combine(std::array{1.0, step}, std::array{x, direction_}, x); }

Optimiser::Verdict Lbfgs::accept(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (norms.largest <= gradient_tolerance_) return Verdict::kGradientTolerance;
  if (!first_ && std::abs(loss - base_loss_) <= change_tolerance_) return Verdict::kChangeTolerance;

  preconditioner_.apply(grad, scaled_grad_);
  choose_direction(grad, scaled_grad_);
  std::swap(scaled_grad_, base_scaled_grad_);
  backend_.copy(grad, base_grad_);
  base_loss_ = loss;
  rejected_ = 0;
  first_ = false;
  move(step_, x);
  return Verdict::kContinue;
}

void Lbfgs::choose_direction(Vector grad, Vector scaled_grad) {
  bool from_history = false;
  if (!first_) {
    const auto change_from = [&](Vector base, Vector now) { backend_.combine(std::array{1.0, -1.0}, std::array{now, base}, base); };
    change_from(base_grad_, grad);
    change_from(base_scaled_grad_, scaled_grad);
    const LbfgsHistory::Curvature pair = history_.measure(step_, base_grad_, base_scaled_grad_, grad, scaled_grad);
    if (pair.sy > kLeastCosine * step_ * direction_norm_ * std::sqrt(pair.ymy)) {
      history_.keep();
      gamma_ = kInverseCurvature * pair.sy / pair.ymy;
    }
    if (history_.pairs() > 0) {
      history_.direction(gamma_, scaled_grad, direction_);
      round_direction(grad);
      from_history = slope_ < 0;
    }
  }
  if (!from_history) {
    history_.clear();
    backend_.combine(std::array{-1.0}, std::array{scaled_grad}, direction_);
    round_direction(grad);
  }
  const double rms = direction_norm_ / std::sqrt(static_cast<double>(direction_.size));
  step_ = from_history ? std::min(1.0, longest_step_ / rms) : first_step_ / rms;
}

void Lbfgs::round_direction(Vector grad) {
  history_.round_step(direction_);
  backend_.dots(std::array{direction_}, std::array{direction_, grad}, results_);
  std::array<double, 2> host;
  backend_.fetch(results_, host);
  direction_norm_ = std::sqrt(host[0]);
  slope_ = host[1];
}

void Lbfgs::restart() {
  history_.clear();
  first_ = true;
  first_step_ *= 0.1;
}

}  // namespace impasto
