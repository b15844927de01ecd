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
  Lbfgs(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Results results, Workspace& workspace);
  static int result_count(const StyleOptions& options);

  // The pass over the history belongs to the point as if it were accepted: for one that is refused it is in vain, which is rare.
  void ask(Vector grad) override;
  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  bool acceptable(double loss) const;
  Verdict retreat(double loss, Vector x);
  Verdict accept(double loss, const GradientNorms& norms, Vector grad, Vector x);
  // Sets direction_, rounded to what the history can remember of it, for the point to leave, where these are the gradient and M times it.
  void choose_direction(Vector grad, Vector scaled_grad);
  // x += t direction_, t at most `length` and such that this is at most `longest`, RMS. t is among the next results.
  void move(double length, double longest, Vector x);
  // The step to try first from the last accepted x.
  void take_step(Vector x);

  Backend& backend_;
  double gradient_tolerance_;
  double change_tolerance_;
  double first_step_;    // RMS, units of the network's input
  double longest_step_;  // RMS, ditto
  Results results_;
  Preconditioner preconditioner_;
  LbfgsHistory history_;
  Vector base_grad_;         // the gradient at the last accepted x
  Vector scaled_grad_;       // M times the gradient at the point asked about
  Vector base_scaled_grad_;  // M base_grad_
  Vector direction_;
  Vector change_;         // of the gradient, from the last accepted x to the point asked about
  Vector scaled_change_;  // M change_
  double base_loss_ = 0;
  bool from_history_ = false;  // direction_
  double step_ = 0;            // x = the last accepted x + step_ direction_, as far as results tell
  double gamma_ = 1.0;
  int rejected_ = 0;
  bool first_ = true;
};

}  // namespace impasto
