// A line search for the strong Wolfe conditions [Nocedal & Wright 2006, algorithms 3.5 and 3.6], told values instead of calling for them.
#pragma once

namespace impasto {

// Looks for t > 0 with f(t) <= f(0) + kDecrease t f'(0) and |f'(t)| <= kCurvature |f'(0)|.
class WolfeSearch {
 public:
  static constexpr double kDecrease = 1e-4;
  static constexpr double kCurvature = 0.9;
  // More only happens where rounding hides the slope; the literature's codes stop between 20 and 25.
  static constexpr int kMostEvaluations = 20;

  enum class Verdict { kContinue, kAccepted, kFailed };

  WolfeSearch() = default;
  // f and its slope < 0 at t = 0; the first t to try, > 0.
  WolfeSearch(double f, double slope, double first_step);

  // f and slope at step(). kContinue: step() has moved to the next t to evaluate. kFailed: no such t was found in kMostEvaluations.
  Verdict told(double f, double slope);
  double step() const { return step_; }

 private:
  struct Point {
    double t = 0;
    double f = 0;
    double slope = 0;
  };
  bool too_high(const Point& p) const { return !(p.f <= start_.f + kDecrease * p.t * start_.slope); }
  double interpolated() const;

  Point start_;
  // While bracketing, low_ is the last point on the way out. While zooming, a good t lies between low_, the lowest so far, and high_.
  bool zooming_ = false;
  Point low_;
  Point high_;
  double step_ = 0;
  int evaluations_ = 0;
};

}  // namespace impasto
