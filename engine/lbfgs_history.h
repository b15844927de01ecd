// The memory of L-BFGS in the vector-free form of Chen, Wang & Zhou 2014 ("Large-scale L-BFGS using MapReduce"): every vector the two-loop
// recursion [Nocedal & Wright 2006, algorithm 7.4] meets is a linear combination of the stored steps, the stored gradient changes and the
// gradient, so their mutual dot products are all it needs. One pass over the history takes the new dot products, the recursion runs on
// the host on coefficients, and a second pass forms the direction.
#pragma once

#include <vector>

#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

class LbfgsHistory {
 public:
  // How pairs are remembered: to the last digit, or rounded to 10 bits a number (Backend::compress). What is remembered rounded is the
  // rounded pair throughout: dot products and curvature are its own.
  enum class Digits { kAll, kCompact };

  // Room for `capacity` pairs (and one that is being offered) of vectors of `size` numbers.
  LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Digits digits, Workspace& workspace);

  // Where to write a pair that may be remembered: step s = x_new - x_old, change y = grad_new - grad_old. With kCompact measure() rounds
  // them.
  Vector offered_step() const { return compact() ? step_ : steps_[offered_]; }
  Vector offered_change() const { return compact() ? change_ : changes_[offered_]; }

  struct Curvature {
    double ss;  // s . s
    double sy;  // s . y
    double yy;  // y . y
  };
  // Takes the dot products of the offered pair and of grad with everything stored: one pass over the history, one wait.
  Curvature measure(Vector grad);
  // Remembers the pair last measured, forgetting the oldest when full.
  void keep();
  void clear();
  int pairs() const { return static_cast<int>(order_.size()); }

  // out = -H grad with H0 = gamma, for the grad last measured. One pass over the history.
  struct Direction {
    double slope;         // out . grad
    double norm_squared;  // out . out
  };
  Direction direction(double gamma, Vector grad, Vector out);

 private:
  // Index of a stored vector in the table of dot products: steps, then changes, then the gradient.
  int step_index(int slot) const { return slot; }
  int change_index(int slot) const { return slots() + slot; }
  int gradient_index() const { return 2 * slots(); }
  int slots() const { return slots_; }
  bool compact() const { return !compact_steps_.empty(); }
  double& dot(int i, int j) { return dots_[static_cast<std::size_t>(i) * (2 * slots() + 1) + j]; }
  void store_dots(int i, int j, double value) { dot(i, j) = dot(j, i) = value; }

  // Sets indices_ to the remembered vectors', steps then changes, oldest first, and terms_ or compact_terms_ to themselves.
  void list_remembered();

  Backend& backend_;
  int slots_;
  // By slot; either kind of digits.
  std::vector<Vector> steps_;
  std::vector<Vector> changes_;
  std::vector<CompactVector> compact_steps_;
  std::vector<CompactVector> compact_changes_;
  // The offered pair, where it is not in its slot.
  Vector step_;
  Vector change_;
  int offered_ = 0;
  std::vector<int> order_;  // slots, oldest first
  std::vector<double> dots_;
  double* results_;
  // Reused every iteration so that the loop allocates nothing.
  std::vector<Vector> terms_;
  std::vector<CompactVector> compact_terms_;
  std::vector<int> indices_;
  std::vector<double> host_results_;
  std::vector<double> coefficients_;
  std::vector<double> alphas_;
};

}  // namespace impasto
