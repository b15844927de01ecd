// The default optimiser: L-BFGS from a preconditioner made for pictures, with a scale-free start and a safeguard instead of a line search.
// docs/optimiser.md has what was tried and measured.
#pragma once

#include "engine/lbfgs_history.h"
#include "engine/optimiser.h"
#include "engine/preconditioner.h"

namespace impasto {

// H0 = gamma M (preconditioner.h). A trial point is accepted unless it raises the loss by more than kTolerableRise; then the step is
// shortened. Every step is bounded in grey levels, so the units of loss and network do not matter.
class Lbfgs : public Optimiser {
 public:
  Lbfgs(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Workspace& workspace);

  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  bool acceptable(double loss) const;
  Verdict retreat(double loss, Vector x);
  Verdict accept(double loss, const GradientNorms& norms, Vector grad, Vector x);
  // Rounds direction_ to what the history can remember of it, and sets direction_norm_ and slope_.
  void round_direction(Vector grad);
  // x += step * direction_.
  void move(double step, Vector x);
  // Sets direction_, direction_norm_, slope_ and step_ for the point to leave, where these are the gradient and M times it. Unless it is
  // the first, leaves the last changes of both in base_grad_ and base_scaled_grad_.
  void choose_direction(Vector grad, Vector scaled_grad);

  Backend& backend_;
  double gradient_tolerance_;
  double change_tolerance_;
  double first_step_;    // RMS, units of the network's input
  double longest_step_;  // RMS, ditto
  Preconditioner preconditioner_;
  LbfgsHistory history_;
  Vector base_grad_;         // the gradient at the last accepted x
  Vector scaled_grad_;       // M times the gradient at the point being accepted
  Vector base_scaled_grad_;  // M base_grad_
  Vector direction_;
  double base_loss_ = 0;
  double direction_norm_ = 0;
  double slope_ = 0;  // directional derivative at the last accepted x along direction_
  double step_ = 0;
  double gamma_ = 1.0;
  int rejected_ = 0;
  bool first_ = true;
  double* results_;
};

}  // namespace impasto
