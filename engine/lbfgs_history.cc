#include "engine/lbfgs_history.h"

#include <array>
#include <cstddef>
#include <span>

namespace impasto {
namespace {

// Vectors whose dot products with all others are new at each step: the offered pair and the gradient.
constexpr std::size_t kFresh = 3;

}  // namespace

LbfgsHistory::LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Digits digits, Workspace& workspace)
    : backend_(backend), slots_(capacity + 1) {
  constexpr const char* kPurpose = "L-BFGS history";
  for (int i = 0; i < slots_; ++i) {
    if (digits == Digits::kCompact) {
      compact_steps_.push_back(workspace.compact_vector(size, kPurpose));
      compact_changes_.push_back(workspace.compact_vector(size, kPurpose));
    } else {
      steps_.push_back(workspace.vector(size, kPurpose));
      changes_.push_back(workspace.vector(size, kPurpose));
    }
  }
  if (compact()) {
    step_ = workspace.vector(size, "optimiser");
    change_ = workspace.vector(size, "optimiser");
  }
  const std::size_t vectors = 2 * static_cast<std::size_t>(slots_) + 1;
  dots_.assign(vectors * vectors, 0.0);
  host_results_.reserve(kFresh * vectors);
  terms_.reserve(vectors);
  compact_terms_.reserve(vectors);
  indices_.reserve(vectors);
  coefficients_.reserve(vectors);
  alphas_.reserve(static_cast<std::size_t>(slots_));
  order_.reserve(static_cast<std::size_t>(slots_));
  results_ = static_cast<double*>(workspace.take(kFresh * vectors * sizeof(double), "results"));
}

void LbfgsHistory::list_remembered() {
  terms_.clear();
  compact_terms_.clear();
  indices_.clear();
  for (const int slot : order_) indices_.push_back(step_index(slot));
  for (const int slot : order_) indices_.push_back(change_index(slot));
  if (compact()) {
    for (const int slot : order_) compact_terms_.push_back(compact_steps_[slot]);
    for (const int slot : order_) compact_terms_.push_back(compact_changes_[slot]);
  } else {
    for (const int slot : order_) terms_.push_back(steps_[slot]);
    for (const int slot : order_) terms_.push_back(changes_[slot]);
  }
}

LbfgsHistory::Curvature LbfgsHistory::measure(Vector grad) {
  if (compact()) {
    backend_.compress(step_, compact_steps_[offered_]);
    backend_.compress(change_, compact_changes_[offered_]);
  }
  const int s = step_index(offered_);
  const int y = change_index(offered_);
  const std::array<Vector, kFresh> fresh = {offered_step(), offered_change(), grad};
  const std::array<int, kFresh> fresh_index = {s, y, gradient_index()};
  list_remembered();
  if (compact()) {
    backend_.dots(compact_terms_, fresh, results_);
  } else {
    backend_.dots(terms_, fresh, results_);
  }
  backend_.dots(fresh, fresh, results_ + kFresh * indices_.size());
  indices_.insert(indices_.end(), fresh_index.begin(), fresh_index.end());
  host_results_.resize(kFresh * indices_.size());
  backend_.fetch(results_, host_results_);
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    for (std::size_t j = 0; j < kFresh; ++j) store_dots(indices_[i], fresh_index[j], host_results_[kFresh * i + j]);
  }
  return {dot(s, s), dot(s, y), dot(y, y)};
}

void LbfgsHistory::keep() {
  order_.push_back(offered_);
  if (pairs() == slots()) {
    offered_ = order_.front();
    order_.erase(order_.begin());
  } else {
    offered_ = pairs();
  }
}

void LbfgsHistory::clear() {
  order_.clear();
  offered_ = 0;
}

LbfgsHistory::Direction LbfgsHistory::direction(double gamma, Vector grad, Vector out) {
  const int k = pairs();
  // Coefficients of steps (0..k-1, oldest first), changes (k..2k-1) and the gradient (2k), and which entry of dots_ each one is.
  list_remembered();
  indices_.push_back(gradient_index());
  coefficients_.assign(2 * k + 1, 0.0);
  alphas_.assign(k, 0.0);
  const auto dot_with = [&](int index) {
    double sum = 0;
    for (std::size_t j = 0; j < indices_.size(); ++j) sum += coefficients_[j] * dot(indices_[j], index);
    return sum;
  };

  coefficients_[2 * k] = -1.0;
  for (int i = k; i-- > 0;) {
    alphas_[i] = dot_with(indices_[i]) / dot(indices_[i], indices_[k + i]);
    coefficients_[k + i] -= alphas_[i];
  }
  for (double& coefficient : coefficients_) coefficient *= gamma;
  for (int i = 0; i < k; ++i) {
    const double beta = dot_with(indices_[k + i]) / dot(indices_[i], indices_[k + i]);
    coefficients_[i] += alphas_[i] - beta;
  }
  if (compact()) {
    backend_.combine(std::span(coefficients_).first(compact_terms_.size()), compact_terms_, coefficients_.back(), grad, out);
  } else {
    terms_.push_back(grad);
    backend_.combine(coefficients_, terms_, out);
  }

  Direction direction{dot_with(gradient_index()), 0.0};
  for (std::size_t j = 0; j < indices_.size(); ++j) direction.norm_squared += coefficients_[j] * dot_with(indices_[j]);
  return direction;
}

}  // namespace impasto
