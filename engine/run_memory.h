// The memory of a run on its device: what it consists of, and how it is had where the device has little.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/network.h"
#include "engine/objective.h"
#include "engine/optimiser.h"
#include "engine/workspace.h"
#include "impasto/image.h"
#include "impasto/options.h"
#include "kernels/backend.h"

namespace impasto {

inline Shape shape_of(const Image& image) { return {3, image.height, image.width}; }

// The memory of losses and gradient of one picture size.
struct EvaluationMemory {
  EvaluationMemory(Backend& backend, Network& network, Shape image, const StyleOptions& options, Workspace& workspace, int more_results = 0)
      : objective(backend, network, image, options, workspace, more_results),
        x(workspace.vector(image.size(), "picture, gradient, best picture")),
        grad(workspace.vector(image.size(), "picture, gradient, best picture")) {}

  StyleObjective objective;
  Vector x;
  Vector grad;
};

// And of a whole run.
struct RunMemory : EvaluationMemory {
  RunMemory(Backend& backend, Network& network, Shape image, const StyleOptions& options, Workspace& workspace)
      : EvaluationMemory(backend, network, image, options, workspace, optimiser_results(options)),
        optimiser(make_optimiser(backend, image, network.input(), options, objective.more_results(), workspace)),
        best(workspace.vector(image.size(), "picture, gradient, best picture")) {}

  std::unique_ptr<Optimiser> optimiser;
  Vector best;
};

// A workspace that has counted what Memory takes.
template <class Memory>
Workspace measured(Backend& backend, Network& network, Shape image, const StyleOptions& options) {
  Workspace measure(backend);
  Memory(backend, network, image, options, measure);
  return measure;
}

// What a run, or an evaluator, has on the device beside the network, in the order in which it is taken.
template <class Memory>
struct Prepared {
  Prepared(Backend& backend, Network& network, Shape image, std::span<const Image> styles, const StyleOptions& options)
      : targets(backend, network, styles, options),
        style_weights(resolved_style_weights(backend, network.info(), options, targets)),
        workspace(backend, measured<Memory>(backend, network, image, options).bytes()),
        memory(backend, network, image, options, workspace) {}

  StyleTargets targets;
  std::vector<double> style_weights;
  Workspace workspace;
  Memory memory;
  std::vector<std::string> notices;
};

// Memory is EvaluationMemory or RunMemory in what follows.

// With the quickest plans, or where they have no room with lean ones (Backend::prefer_memory), which a notice then says. Borrows all but
// styles and options for the life of what it returns. Throws OutOfMemoryError with the widest pictures that there would be room for;
// ShapeError, OptionError.
template <class Memory>
std::unique_ptr<Prepared<Memory>> prepare(Backend& backend, Network& network, const Image& content, std::span<const Image> styles,
                                          const StyleOptions& options);

}  // namespace impasto
