// torch.optim.LBFGS without line search, step for step, so that runs can be compared with PyTorch's and published traces repeated.
#pragma once

#include "engine/lbfgs_history.h"
#include "engine/optimiser.h"

namespace impasto {

// [pytorch/pytorch, torch/optim/lbfgs.py] The first step is min(1, 1 / |g|_1) lr along -g, every later one lr along the L-BFGS direction,
// taken whatever the loss does; a pair is kept where y . s > 1e-10; H0 = (s . y) / (y . y).
class LbfgsTorch : public Optimiser {
 public:
  LbfgsTorch(Backend& backend, Shape image, const StyleOptions& options, Results results, Workspace& workspace);
  static int result_count(const StyleOptions& options);

  void ask(Vector grad) override;
  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  Backend& backend_;
  double learning_rate_;
  double gradient_tolerance_;
  double change_tolerance_;
  Results results_;
  LbfgsHistory history_;
  Vector previous_grad_;
  Vector direction_;
  bool first_ = true;
  double first_step_scale_ = 1.0;
  double previous_loss_ = 0;
  double step_ = 0;
  double gamma_ = 1.0;
};

}  // namespace impasto
