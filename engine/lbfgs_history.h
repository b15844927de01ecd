// The memory of L-BFGS in the vector-free form of Chen, Wang & Zhou 2014 ("Large-scale L-BFGS using MapReduce"): every vector the two-loop
// recursion [Nocedal & Wright 2006, algorithm 7.4] meets is a linear combination of the stored steps s, the stored gradient changes y,
// times M where H0 = gamma M, and the gradient, so their dot products are all it needs. One pass over the history takes the new dot
// products, the recursion runs on the host on coefficients, and a second pass forms the direction.
#pragma once

#include <vector>

#include "engine/results.h"
#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

class LbfgsHistory {
 public:
  // kPlain: M is the identity; pairs are remembered to the last digit. kPreconditioned: M is the caller's, who applies it
  // (preconditioner.h); steps and M y are remembered rounded to 8 bits a number (Backend::compress), and dot products are taken of what is
  // remembered. A step is rounded before it is taken, so that what is remembered of it is the step and not something near it.
  enum class Kind { kPlain, kPreconditioned };

  // Room for `capacity` pairs (and one that is being offered) of vectors of `size` numbers. results: as many as result_count says.
  LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Kind kind, Results results, Workspace& workspace);
  static int result_count(int capacity);

  struct Curvature {
    double sy;   // s . y
    double ymy;  // y . M y
  };

  // A pair that may be remembered, of kPlain: where to write the step s = x_new - x_old and the change y = grad_new - grad_old.
  Vector offered_step() const { return steps_[offered_]; }
  Vector offered_change() const { return changes_[offered_]; }
  // Enqueues the dot products of the offered pair and of grad with everything remembered: one pass over the history.
  void measure(Vector grad);

  // The same of kPreconditioned. Before the step: rounds `direction`, of which it will be a multiple.
  void round_step(Vector direction);
  // Rounds scaled_change, which is M change, and measures. scaled_grad: M grad.
  void measure(Vector change, Vector scaled_change, Vector grad, Vector scaled_grad);

  // Takes what measure() left, once the host has waited for it; nothing was kept or cleared in between. step: of kPreconditioned, s as a
  // multiple of the direction.
  Curvature measured(double step = 1.0);
  // Remembers the pair last measured, forgetting the oldest when full.
  void keep();
  void clear();
  int pairs() const { return static_cast<int>(order_.size()); }

  // out = -H grad with H0 = gamma M, for the grad last measured; scaled_grad as then. One pass over the history. Returns out . grad.
  double direction(double gamma, Vector scaled_grad, Vector out);

 private:
  int slots() const { return slots_; }
  bool preconditioned() const { return !compact_steps_.empty(); }
  // s of one slot . y of another that is not older, which is all the recursion asks for.
  double& step_change(int step_slot, int change_slot) { return step_changes_[static_cast<std::size_t>(step_slot) * slots() + change_slot]; }
  // y of one slot . M y of another.
  double& change_change(int a, int b) { return change_changes_[static_cast<std::size_t>(a) * slots() + b]; }

  // Enqueues the dot products of all that is remembered and offered with `change` and grad, and of grad with scaled_grad.
  void measure_all(Vector change, Vector grad, Vector scaled_grad);
  // Sets terms_ or compact_terms_ to the steps of order_, then M times the changes, oldest first.
  void list_remembered();

  Backend& backend_;
  int slots_;
  // By slot: M y is the change itself where M is the identity.
  std::vector<Vector> steps_;
  std::vector<Vector> changes_;
  std::vector<CompactVector> compact_steps_;
  std::vector<CompactVector> compact_changes_;
  // By slot: the step is so many times the vector that is remembered for it.
  std::vector<double> step_scales_;
  int offered_ = 0;
  std::vector<int> order_;  // slots, oldest first
  std::vector<double> step_changes_;
  std::vector<double> change_changes_;
  // By slot, for the gradient last measured: s . grad, M y . grad; and grad . M grad.
  std::vector<double> step_grads_;
  std::vector<double> change_grads_;
  double grad_grad_ = 0;
  Results results_;
  // Reused every iteration so that the loop allocates nothing.
  std::vector<Vector> terms_;
  std::vector<CompactVector> compact_terms_;
  std::vector<double> coefficients_;
  std::vector<double> alphas_;
};

}  // namespace impasto
