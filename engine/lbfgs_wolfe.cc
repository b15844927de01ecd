#include "engine/lbfgs_wolfe.h"

#include <array>
#include <cmath>

namespace impasto {
namespace {

// The first step, along -g, is one grey level RMS: visible to a float32 loss, harmless to the picture.
constexpr double kFirstStepGreyLevels = 1.0;

}  // namespace

LbfgsWolfe::LbfgsWolfe(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Results results,
                       Workspace& workspace)
    : backend_(backend),
      gradient_tolerance_(options.gradient_tolerance),
      change_tolerance_(options.change_tolerance),
      first_step_(kFirstStepGreyLevels / input.grey_levels_per_unit()),
      results_(results),
      history_results_(
          static_cast<double*>(workspace.take(LbfgsHistory::result_count(options.history) * std::int64_t{sizeof(double)}, "results"))),
      host_history_results_(static_cast<std::size_t>(LbfgsHistory::result_count(options.history))),
      history_(backend, image.size(), options.history, LbfgsHistory::Kind::kPlain, {history_results_, host_history_results_.data()},
               workspace),
      base_(workspace.vector(image.size(), "optimiser")),
      base_grad_(workspace.vector(image.size(), "optimiser")),
      direction_(workspace.vector(image.size(), "optimiser")) {}

void LbfgsWolfe::ask(Vector grad) {
  if (!first_) backend_.dots(std::array{grad}, std::array{direction_}, results_.at);
}

Optimiser::Verdict LbfgsWolfe::advance(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  if (norms.largest <= gradient_tolerance_) return Verdict::kGradientTolerance;
  if (first_) return start_step(loss, norms, grad, x);

  const WolfeSearch::Verdict verdict = search_.told(loss, results_.host[0]);
  if (verdict == WolfeSearch::Verdict::kContinue) {
    backend_.combine(std::array{1.0, search_.step()}, std::array{base_, direction_}, x);
    return Verdict::kContinue;
  }
  // A search that failed without going down has met the loss's rounding: no smaller change can be told from none.
  if (std::abs(loss - base_loss_) <= change_tolerance_ || loss > base_loss_) return Verdict::kChangeTolerance;
  backend_.combine(std::array{search_.step()}, std::array{direction_}, history_.offered_step());
  backend_.combine(std::array{1.0, -1.0}, std::array{grad, base_grad_}, history_.offered_change());
  return start_step(loss, norms, grad, x);
}

Optimiser::Verdict LbfgsWolfe::start_step(double loss, const GradientNorms& norms, Vector grad, Vector x) {
  double slope = 0;
  double step = 1.0;
  if (first_) {
    backend_.combine(std::array{-1.0}, std::array{grad}, direction_);
    slope = -norms.squared;
    step = first_step_ * std::sqrt(grad.size / norms.squared);
    first_ = false;
  } else {
    history_.measure(grad);
    backend_.fetch(history_results_, host_history_results_);
    const LbfgsHistory::Curvature pair = history_.measured();
    // The curvature condition makes s . y > 0; only a search that failed, at the loss's rounding, can break it.
    if (!(pair.sy > 0)) return Verdict::kChangeTolerance;
    history_.keep();
    slope = history_.direction(pair.sy / pair.ymy, grad, direction_);
    if (!(slope < 0)) return Verdict::kChangeTolerance;
  }
  backend_.copy(x, base_);
  backend_.copy(grad, base_grad_);
  base_loss_ = loss;
  search_ = WolfeSearch(loss, slope, step);
  backend_.combine(std::array{1.0, step}, std::array{base_, direction_}, x);
  return Verdict::kContinue;
}

void LbfgsWolfe::restart() {
  history_.clear();
  first_ = true;
  first_step_ *= 0.1;
}

}  // namespace impasto
