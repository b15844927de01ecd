// What every optimiser is: told the loss and gradient where it asked for them, it says where to look next. Whoever drives it
// evaluates, so one evaluation is one turn of one loop that can report, cancel or stop; no optimiser calls the objective.
#pragma once

#include <memory>

#include "engine/gradient_norms.h"
#include "engine/network_input.h"
#include "engine/workspace.h"
#include "impasto/options.h"
#include "kernels/backend.h"

namespace impasto {

class Optimiser {
 public:
  enum class Verdict { kContinue, kGradientTolerance, kChangeTolerance };

  virtual ~Optimiser() = default;

  // loss, grad and its norms belong to x and are finite. Moves x to the next point to evaluate; leaves x alone unless kContinue is
  // returned.
  virtual Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) = 0;

  // Forgets everything: the next advance() is the first, with steps at most a tenth as long as they were.
  virtual void restart() = 0;
};

// The optimiser that options name, for pictures of `image`. Takes its memory from workspace.
std::unique_ptr<Optimiser> make_optimiser(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options,
                                          Workspace& workspace);

}  // namespace impasto
