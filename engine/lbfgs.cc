#include "engine/lbfgs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
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
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// Results, before those of the history: direction . direction, direction . gradient at the last accepted x, and by how much the step along
// it was last lengthened.
enum Result { kSquared, kSlope, kTaken, kOwnResults };

}  // namespace

int Lbfgs::result_count(const StyleOptions& options) { return kOwnResults + LbfgsHistory::result_count(options.history); }

Lbfgs::Lbfgs(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Results results, Workspace& workspace)
    : backend_(backend),
      gradient_tolerance_(options.gradient_tolerance),
      change_tolerance_(options.change_tolerance),
      first_step_(kFirstStepGreyLevels / input.grey_levels_per_unit()),
      longest_step_(kLongestStepGreyLevels / input.grey_levels_per_unit()),
      results_(results),
      preconditioner_(backend, image, workspace),
      history_(backend, image.size(), options.history, LbfgsHistory::Kind::kPreconditioned, results.from(kOwnResults), workspace),
      base_grad_(workspace.vector(image.size(), "optimiser")),
      scaled_grad_(workspace.vector(image.size(), "optimiser")),
      base_scaled_grad_(workspace.vector(image.size(), "optimiser")),
      direction_(workspace.vector(image.size(), "optimiser")),
      change_(workspace.vector(image.size(), "optimiser")),
      scaled_change_(workspace.vector(image.size(), "optimiser")) {}

void Lbfgs::ask(Vector grad) {
  preconditioner_.apply(grad, scaled_grad_);
  if (first_) return;
  backend_.combine(std::array{1.0, -1.0}, std::array{grad, base_grad_}, change_);
  backend_.combine(std::array{1.0, -1.0}, std::array{scaled_grad_, base_scaled_grad_}, scaled_change_);
  history_.measure(change_, scaled_change_, grad, scaled_grad_);
}

Optimiser::Verdict Lbfgs::advance(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (first_) return accept(loss, norms, grad, x);
  step_ += results_.host[kTaken];
  return acceptable(loss) ? accept(loss, norms, grad, x) : retreat(loss, x);
}

bool Lbfgs::acceptable(double loss) const { return loss <= base_loss_ + kTolerableRise * std::abs(base_loss_); }

Optimiser::Verdict Lbfgs::retreat(double loss, Vector x) {
  if (++rejected_ > kMostRejections) {
    move(-step_, kUnbounded, x);
    restart();
    // base_grad_ is still the gradient there.
    choose_direction(base_grad_, base_scaled_grad_);
    first_ = false;
    take_step(x);
    return Verdict::kContinue;
  }
  // The minimiser of the parabola through the loss and slope at the last accepted x and the loss here, within [0.1, 0.5] of the step.
  const double slope = results_.host[kSlope];
  const double curvature = 2 * (loss - base_loss_ - step_ * slope);
  move(step_ * std::clamp(-step_ * slope / curvature, 0.1, 0.5) - step_, kUnbounded, x);
  return Verdict::kContinue;
}

Optimiser::Verdict Lbfgs::accept(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (norms.largest <= gradient_tolerance_) return Verdict::kGradientTolerance;
  if (!first_ && std::abs(loss - base_loss_) <= change_tolerance_) return Verdict::kChangeTolerance;

  choose_direction(grad, scaled_grad_);
  std::swap(scaled_grad_, base_scaled_grad_);
  backend_.copy(grad, base_grad_);
  base_loss_ = loss;
  rejected_ = 0;
  first_ = false;
  take_step(x);
  return Verdict::kContinue;
}

void Lbfgs::choose_direction(Vector grad, Vector scaled_grad) {
  from_history_ = false;
  if (!first_) {
    const LbfgsHistory::Curvature pair = history_.measured(step_);
    if (pair.sy > kLeastCosine * step_ * std::sqrt(results_.host[kSquared] * pair.ymy)) {
      history_.keep();
      gamma_ = kInverseCurvature * pair.sy / pair.ymy;
    }
    if (history_.pairs() > 0) from_history_ = history_.direction(gamma_, scaled_grad, direction_) < 0;
  }
  if (!from_history_) {
    history_.clear();
    backend_.combine(std::array{-1.0}, std::array{scaled_grad}, direction_);
  }
  history_.round_step(direction_);
  backend_.dots(std::array{direction_}, std::array{direction_, grad}, results_.at);
  step_ = 0;
}

void Lbfgs::move(double length, double longest, Vector x) {
  backend_.take_step(direction_, results_.at + kSquared, length, longest, x, results_.at + kTaken);
}

void Lbfgs::take_step(Vector x) {
  // Of the history's directions the whole, of others as much as is visible.
  if (from_history_) {
    move(1.0, longest_step_, x);
  } else {
    move(kUnbounded, first_step_, x);
  }
}

void Lbfgs::restart() {
  history_.clear();
  first_ = true;
  first_step_ *= 0.1;
}

}  // namespace impasto
