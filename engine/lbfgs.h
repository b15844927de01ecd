// The default optimiser: L-BFGS in a whitened image basis, with a scale-free start and a safeguard instead of a line search.
// docs/optimiser.md has what was tried and measured.
#pragma once

#include "engine/image_basis.h"
#include "engine/lbfgs_history.h"
#include "engine/optimiser.h"

namespace impasto {

// Minimises over z with x = x0 + A z (image_basis.h), gradient A dL/dx. A trial point is accepted unless it raises the loss by more than
// kTolerableRise; then the step is shortened. Every step is bounded in grey levels, so the units of loss and network do not matter.
class Lbfgs : public Optimiser {
 public:
  Lbfgs(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Workspace& workspace);

  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  bool acceptable(double loss) const;
  Verdict retreat(double loss, Vector x);
  Verdict accept(double loss, const GradientNorms& norms, Vector grad, Vector x);
  void choose_direction(Vector grad);

  Backend& backend_;
  double gradient_tolerance_;
  double change_tolerance_;
  double first_step_;    // RMS, units of the network's input
  double longest_step_;  // RMS, ditto
  ImageBasis basis_;
  LbfgsHistory history_;
  Vector base_;             // the last accepted x
  Vector base_grad_;        // gradient in z there
  Vector grad_;             // gradient in z at the point being accepted
  Vector direction_;        // in z
  Vector image_direction_;  // A direction_
  double base_loss_ = 0;
  double slope_ = 0;  // directional derivative at base_ along direction_
  double step_ = 0;
  double gamma_ = 1.0;
  int rejected_ = 0;
  bool first_ = true;
  double* results_;
};

}  // namespace impasto
