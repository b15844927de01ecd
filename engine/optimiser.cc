#include "engine/optimiser.h"

#include "engine/adam.h"
#include "engine/lbfgs.h"
#include "engine/lbfgs_torch.h"
#include "engine/lbfgs_wolfe.h"

namespace impasto {

std::unique_ptr<Optimiser> make_optimiser(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options,
                                          Workspace& workspace) {
  switch (options.optimizer) {
    case Optimizer::kLbfgsTorch:
      return std::make_unique<LbfgsTorch>(backend, image, options, workspace);
    case Optimizer::kLbfgsWolfe:
      return std::make_unique<LbfgsWolfe>(backend, image, input, options, workspace);
    case Optimizer::kAdam:
      return std::make_unique<Adam>(backend, image, input, options, workspace);
    case Optimizer::kLbfgs:
      break;
  }
  return std::make_unique<Lbfgs>(backend, image, input, options, workspace);
}

}  // namespace impasto
