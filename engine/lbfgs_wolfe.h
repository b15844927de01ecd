// L-BFGS with a strong Wolfe line search: every pair has positive curvature and the loss never rises, for more evaluations per step.
#pragma once

#include <vector>

#include "engine/lbfgs_history.h"
#include "engine/optimiser.h"
#include "engine/wolfe_search.h"

namespace impasto {

class LbfgsWolfe : public Optimiser {
 public:
  LbfgsWolfe(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Results results, Workspace& workspace);
  static int result_count(const StyleOptions&) { return 1; }

  void ask(Vector grad) override;
  // Waits where a line search ends: only then is the history asked.
  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  Verdict start_step(double loss, const GradientNorms& norms, Vector grad, Vector x);

  Backend& backend_;
  double gradient_tolerance_;
  double change_tolerance_;
  double first_step_;  // RMS, units of the network's input
  Results results_;    // the directional derivative
  double* history_results_;
  std::vector<double> host_history_results_;
  LbfgsHistory history_;
  // Where the current line search started, the gradient there, and its direction.
  Vector base_;
  Vector base_grad_;
  Vector direction_;
  double base_loss_ = 0;
  bool first_ = true;
  WolfeSearch search_;
};

}  // namespace impasto
