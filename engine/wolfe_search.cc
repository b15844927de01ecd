#include "engine/wolfe_search.h"

#include <algorithm>
#include <cmath>

namespace impasto {
namespace {

// How far out the next trial goes while nothing bounds the minimum; and how close to the ends of its interval a trial may come.
constexpr double kExpansion = 4.0;
constexpr double kMargin = 0.1;

}  // namespace

WolfeSearch::WolfeSearch(double f, double slope, double first_step) : start_{0, f, slope}, low_(start_), step_(first_step) {}

WolfeSearch::Verdict WolfeSearch::told(double f, double slope) {
  const Point here{step_, f, slope};
  ++evaluations_;
  const bool flat = std::abs(slope) <= -kCurvature * start_.slope;
  if (too_high(here) || (f >= low_.f && (zooming_ || evaluations_ > 1))) {
    high_ = here;
    zooming_ = true;
  } else if (flat) {
    return Verdict::kAccepted;
  } else if (!zooming_) {
    if (slope >= 0) {
      high_ = low_;
      zooming_ = true;
    }
    low_ = here;
  } else {
    if (slope * (high_.t - low_.t) >= 0) high_ = low_;
    low_ = here;
  }
  if (evaluations_ == kMostEvaluations) return Verdict::kFailed;
  step_ = zooming_ ? interpolated() : kExpansion * step_;
  return Verdict::kContinue;
}

// The minimiser of the cubic through low_ and high_ [ibid., eq. 3.59], kept off the ends; their middle where the cubic has none.
double WolfeSearch::interpolated() const {
  const double width = high_.t - low_.t;
  const double d1 = low_.slope + high_.slope - 3 * (low_.f - high_.f) / (low_.t - high_.t);
  const double radicand = d1 * d1 - low_.slope * high_.slope;
  double t = low_.t + 0.5 * width;
  if (radicand >= 0) {
    const double d2 = std::copysign(std::sqrt(radicand), width);
    const double cubic = high_.t - width * (high_.slope + d2 - d1) / (high_.slope - low_.slope + 2 * d2);
    if (std::isfinite(cubic)) t = cubic;
  }
  const double near_low = low_.t + kMargin * width;
  const double near_high = high_.t - kMargin * width;
  return std::clamp(t, std::min(near_low, near_high), std::max(near_low, near_high));
}

}  // namespace impasto
