#include "engine/optimiser.h"

#include "engine/adam.h"
#include "engine/lbfgs.h"
#include "engine/lbfgs_torch.h"
#include "engine/lbfgs_wolfe.h"

namespace impasto {

int optimiser_results(const StyleOptions& options) {
  switch (options.optimizer) {
    case Optimizer::kLbfgsTorch:
      return LbfgsTorch::result_count(options);
    case Optimizer::kLbfgsWolfe:
      return LbfgsWolfe::result_count(options);
    case Optimizer::kAdam:
      return 0;
    case Optimizer::kLbfgs:
      break;
  }
  return Lbfgs::result_count(options);
}

std::unique_ptr<Optimiser> make_optimiser(Backend& backend, Shape image, const NetworkInput& input, const StyleOptions& options,
                                          Results results, Workspace& workspace) {
  switch (options.optimizer) {
    case Optimizer::kLbfgsTorch:
      return std::make_unique<LbfgsTorch>(backend, image, options, results, workspace);
    case Optimizer::kLbfgsWolfe:
      return std::make_unique<LbfgsWolfe>(backend, image, input, options, results, workspace);
    case Optimizer::kAdam:
      return std::make_unique<Adam>(backend, image, input, options, workspace);
    case Optimizer::kLbfgs:
      break;
  }
  return std::make_unique<Lbfgs>(backend, image, input, options, results, workspace);
}

}  // namespace impasto
