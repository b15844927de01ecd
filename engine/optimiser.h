// What every optimiser is: told the loss and gradient where it asked for them, it says where to look next. Whoever drives it
// evaluates, so one evaluation is one turn of one loop that can report, cancel or stop; no optimiser calls the objective.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/gradient_norms.h"
#include "engine/network_input.h"
#include "engine/results.h"
#include "engine/workspace.h"
#include "impasto/options.h"
#include "kernels/backend.h"

namespace impasto {

class Optimiser {
 public:
  enum class Verdict { kContinue, kGradientTolerance, kChangeTolerance };

  virtual ~Optimiser() = default;

  // Enqueues what advance() will have to know of a point beside loss and norms, so that the host waits once for all of it. grad: the
  // gradient there, which may still be under way. To be called once before each advance(); restart() may come instead.
  virtual void ask(Vector grad) = 0;

  // loss, grad and its norms belong to x and are finite; what ask() enqueued has been fetched to Results::host. Moves x to the next point
  // to evaluate; leaves x alone unless kContinue is returned. Enqueues; does not wait.
  virtual Verdict advance(double loss, const GradientNorms& norms, Vector grad, Vector x) = 0;

  // Forgets everything: the next advance() is the first, with steps at most a tenth as long as they were.
  virtual void restart() = 0;
};

// How many results make_optimiser's optimiser wants.
int optimiser_results(const StyleOptions& options);

// The optimiser that options name, for pictures of `image`. Takes its memory from workspace; leaves what the host is to know at results, as
// many as optimiser_results says.
std::unique_ptr<Optimiser> make_optimiser(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options,
                                          Results results, Workspace& workspace);

}  // namespace impasto
