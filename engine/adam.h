// Adam [Kingma & Ba 2015], the alternative where memory for L-BFGS's history is short.
#pragma once

#include "engine/optimiser.h"

namespace impasto {

class Adam : public Optimiser {
 public:
  // The default step of 10 grey levels is what the original Torch and TensorFlow programs use.
  Adam(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options, Workspace& workspace);

  void ask(Vector) override {}
  Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) override;
  void restart() override;

 private:
  Backend& backend_;
  Backend::AdamParameters parameters_;
  double gradient_tolerance_;
  Vector first_moment_;
  Vector second_moment_;
  std::int64_t t_ = 0;
};

}  // namespace impasto
