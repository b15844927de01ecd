// The losses of a picture and their gradient: content features and Gram matrices of one VGG19, and total variation.
// [Gatys, Ecker & Bethge 2016; scaling of leongatys/PytorchNeuralStyleTransfer: means over elements, style weight / C^2]
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/feature_net.h"
#include "engine/gradient_norms.h"
#include "engine/results.h"
#include "impasto/options.h"
#include "impasto/session.h"

namespace impasto {

// Target Gram matrices, one per style layer. Owns their memory.
class StyleTargets {
 public:
  // Runs each style picture through the network at its own size and blends their Grams. Throws ShapeError, OptionError.
  StyleTargets(Backend& backend, Network& network, std::span<const Image> styles, const StyleOptions& options);

  // (c * c) of style_layers[i].
  Vector gram(int i) const { return grams_[i]; }
  // The memory that targets take as long as they live.
  static std::int64_t held_bytes(Backend& backend, const StyleOptions& options);
  // The network memory that the picture which needs most takes while targets are computed.
  static std::int64_t peak_bytes(Backend& backend, Network& network, std::span<const Image> styles, const StyleOptions& options);

 private:
  Workspace workspace_;
  std::vector<Vector> grams_;
};

// style_weights of StyleOptions, one per style layer. For an untrained network, whose features have no scale worth keeping, the default
// makes each layer's loss the squared distance of the Grams over the squared norm of the target. That needs the targets.
std::vector<double> resolved_style_weights(Backend& backend, const NetworkInfo& network, const StyleOptions& options,
                                           const StyleTargets& targets);

// A pure function of the picture: same x, same bits.
class StyleObjective {
 public:
  // Borrows backend, network. image: shape of the pictures to evaluate. more_results: room for as many of others'.
  StyleObjective(Backend& backend, Network& network, Shape image, const StyleOptions& options, Workspace& workspace, int more_results = 0);
  StyleObjective(const StyleObjective&) = delete;
  StyleObjective& operator=(const StyleObjective&) = delete;

  // content: the picture whose features are to be kept. targets: borrowed. style_weights: one per style layer. To be called before
  // evaluate, and again for others. Throws OptionError where activations pass what the backend's Features hold.
  void set_targets(Vector content, const StyleTargets& targets, std::vector<double> style_weights);

  struct Value {
    Losses losses;
    // Of grad.
    GradientNorms gradient;
  };
  // grad = dL/dx. Waits for the device once. The value is overwritten by the next call. The first evaluation with other targets or
  // vectors than before is recorded, and allocates; those that follow are replayed. Where Features have binary16's range and gradients pass
  // it, they are computed again, kept smaller, at most kMostRepeats times, a wait each.
  // ask: called when all of it is enqueued, before each wait: enqueues what else the caller wants to know by then (more_results).
  const Value& evaluate(Vector x, Vector grad, const std::function<void()>& ask = {});
  static constexpr int kMostRepeats = 3;
  // Evaluations since set_targets whose gradients were computed again.
  int repeated() const { return repeated_; }

  // Others' results, fetched by each evaluation with its own.
  Results more_results() const { return results().from(own_results_); }

 private:
  struct ContentTerm {
    int tap;
    Features target;
  };
  struct StyleTerm {
    int tap;
    double weight;
    double gradient;    // dL/dF = gradient (G - A) F
    Vector target;      // A
    Vector difference;  // G, then G - A
  };

  Results results() const { return {results_, host_results_.data()}; }
  // All of an evaluation that is the backend's: leaves grad and what results_ points to. gradient_scale: what Features keep gradients
  // times.
  void compute(Vector x, Vector grad, double gradient_scale);
  // Enqueues it, recorded.
  void start(Vector x, Vector grad);
  void add_content_gradient(int tap, Features grad, double gradient_scale);
  // Finite losses with a gradient that is not.
  bool gradient_overflowed() const;

  double content_gradient(Shape shape) const { return 2 * content_weight_ / shape.size(); }
  double norm(Vector v);
  // About the most that the root mean squares of the losses' gradients with respect to features add up to while a picture's features are of
  // the size of the content's and its style's. Not finite where those are not. Style: while taps hold the content's features. Content: once
  // targets do; overwrites the taps.
  double expected_style_gradient();
  double expected_content_gradient();

  Backend& backend_;
  Shape image_;
  double content_weight_;
  double tv_weight_;
  double activation_scale_;
  std::vector<Tap> taps_;
  FeatureNet net_;
  std::vector<ContentTerm> content_;
  std::vector<StyleTerm> style_;
  std::vector<FeatureNet::GramGradient> gram_gradients_;  // one per tap
  // In backend memory: squared distances of content_, of style_, total variation, grad . grad, norms of grad; then others'.
  double* results_;
  std::vector<double> host_results_;
  int own_results_;
  // Of compute(), and the memory of the vectors that it computes with; empty before the first.
  Recording recording_;
  const void* recorded_x_ = nullptr;
  const void* recorded_grad_ = nullptr;
  // Of the first attempt at each evaluation; 1 unless Features have binary16's range.
  double gradient_scale_ = 1;
  int repeated_ = 0;
  Value value_;
};

}  // namespace impasto
