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
  // (preconditioner.h); s and M y are remembered rounded to 10 bits a number (Backend::compress), and dot products are taken of what is
  // remembered.
  enum class Kind { kPlain, kPreconditioned };

  // Room for `capacity` pairs (and one that is being offered) of vectors of `size` numbers. results: as many as result_count says.
  LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Kind kind, Results results, Workspace& workspace);
  static int result_count(int capacity);

  // Where to write a pair that may be remembered: step s = x_new - x_old, change y = grad_new - grad_old, and of kPreconditioned M y too.
  // measure() rounds s and M y, so they are to be written before each.
  Vector offered_step() const { return preconditioned() ? step_ : steps_[offered_]; }
  Vector offered_change() const { return preconditioned() ? change_ : changes_[offered_]; }
  Vector offered_scaled_change() const { return preconditioned() ? scaled_change_ : changes_[offered_]; }

  struct Curvature {
    double ss;   // s . s
    double sy;   // s . y
    double ymy;  // y . M y
  };
  // Enqueues the dot products of the offered pair and of grad with everything remembered: one pass over the history. scaled_grad: M grad.
  void measure(Vector grad, Vector scaled_grad);
  // Takes what measure() left, once the host has waited for it; nothing was kept or cleared in between.
  Curvature measured();
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

  // Sets terms_ or compact_terms_ to the remembered steps, then M times the remembered changes, oldest first.
  void list_remembered();

  Backend& backend_;
  int slots_;
  // By slot: M y is the change itself where M is the identity.
  std::vector<Vector> steps_;
  std::vector<Vector> changes_;
  std::vector<CompactVector> compact_steps_;
  std::vector<CompactVector> compact_changes_;
  // The offered pair, where it is not in its slot.
  Vector step_;
  Vector change_;
  Vector scaled_change_;
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
