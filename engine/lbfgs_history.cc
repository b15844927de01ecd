#include "engine/lbfgs_history.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace impasto {
namespace {

// Vectors whose dot products with everything remembered are new at each step: the offered change and the gradient.
constexpr std::size_t kFresh = 2;

}  // namespace

int LbfgsHistory::result_count(int capacity) { return static_cast<int>(kFresh) * 2 * (capacity + 1) + 1; }

LbfgsHistory::LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Kind kind, Results results, Workspace& workspace)
    : backend_(backend), slots_(capacity + 1), results_(results) {
  constexpr const char* kPurpose = "L-BFGS history";
  for (int i = 0; i < slots_; ++i) {
    if (kind == Kind::kPreconditioned) {
      compact_steps_.push_back(workspace.compact_vector(size, kPurpose));
      compact_changes_.push_back(workspace.compact_vector(size, kPurpose));
    } else {
      steps_.push_back(workspace.vector(size, kPurpose));
      changes_.push_back(workspace.vector(size, kPurpose));
    }
  }
  const std::size_t slots = static_cast<std::size_t>(slots_);
  step_changes_.assign(slots * slots, 0.0);
  change_changes_.assign(slots * slots, 0.0);
  step_grads_.assign(slots, 0.0);
  change_grads_.assign(slots, 0.0);
  step_scales_.assign(slots, 1.0);
  terms_.reserve(2 * slots + 1);
  compact_terms_.reserve(2 * slots);
  coefficients_.reserve(2 * slots + 1);
  alphas_.reserve(slots);
  order_.reserve(slots);
}

void LbfgsHistory::list_remembered() {
  terms_.clear();
  compact_terms_.clear();
  if (preconditioned()) {
    for (const int slot : order_) compact_terms_.push_back(compact_steps_[slot]);
    for (const int slot : order_) compact_terms_.push_back(compact_changes_[slot]);
  } else {
    for (const int slot : order_) terms_.push_back(steps_[slot]);
    for (const int slot : order_) terms_.push_back(changes_[slot]);
  }
}

void LbfgsHistory::measure(Vector grad) { measure_all(changes_[offered_], grad, grad); }

void LbfgsHistory::round_step(Vector direction) { backend_.compress(direction, compact_steps_[offered_]); }

void LbfgsHistory::measure(Vector change, Vector scaled_change, Vector grad, Vector scaled_grad) {
  backend_.compress(scaled_change, compact_changes_[offered_]);
  measure_all(change, grad, scaled_grad);
}

void LbfgsHistory::measure_all(Vector change, Vector grad, Vector scaled_grad) {
  order_.push_back(offered_);
  list_remembered();
  const std::array<Vector, kFresh> fresh = {change, grad};
  if (preconditioned()) {
    backend_.dots(compact_terms_, fresh, results_.at);
  } else {
    backend_.dots(terms_, fresh, results_.at);
  }
  backend_.dots(std::array{scaled_grad}, std::array{grad}, results_.at + kFresh * 2 * order_.size());
  order_.pop_back();
}

LbfgsHistory::Curvature LbfgsHistory::measured(double step) {
  step_scales_[offered_] = step;
  order_.push_back(offered_);
  const std::size_t k = order_.size();
  for (std::size_t i = 0; i < k; ++i) {
    const int slot = order_[i];
    const double* of_step = results_.host + kFresh * i;
    const double* of_change = results_.host + kFresh * (k + i);
    step_change(slot, offered_) = step_scales_[slot] * of_step[0];
    step_grads_[slot] = step_scales_[slot] * of_step[1];
    change_change(slot, offered_) = change_change(offered_, slot) = of_change[0];
    change_grads_[slot] = of_change[1];
  }
  grad_grad_ = results_.host[kFresh * 2 * k];
  order_.pop_back();
  return {step_change(offered_, offered_), change_change(offered_, offered_)};
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

double LbfgsHistory::direction(double gamma, Vector scaled_grad, Vector out) {
  const int k = pairs();
  // q = grad - sum of alpha y, newest pair first.
  alphas_.assign(k, 0.0);
  for (int i = k; i-- > 0;) {
    const int slot = order_[i];
    double sq = step_grads_[slot];
    for (int j = i + 1; j < k; ++j) sq -= alphas_[j] * step_change(slot, order_[j]);
    alphas_[i] = sq / step_change(slot, slot);
  }
  // r = gamma M q + sum of (alpha - beta) s, oldest pair first; out = -r. Its coefficients: steps, changes, the gradient.
  coefficients_.assign(2 * k + 1, 0.0);
  double slope = -gamma * grad_grad_;
  for (int i = 0; i < k; ++i) {
    const int slot = order_[i];
    double yr = gamma * change_grads_[slot];
    for (int j = 0; j < k; ++j) yr -= gamma * alphas_[j] * change_change(order_[j], slot);
    for (int j = 0; j < i; ++j) yr -= coefficients_[j] * step_change(order_[j], slot);
    coefficients_[i] = yr / step_change(slot, slot) - alphas_[i];
    coefficients_[k + i] = gamma * alphas_[i];
    slope += coefficients_[i] * step_grads_[slot] + coefficients_[k + i] * change_grads_[slot];
  }
  // Of what is remembered instead of steps.
  for (int i = 0; i < k; ++i) coefficients_[i] *= step_scales_[order_[i]];
  coefficients_[2 * k] = -gamma;

  list_remembered();
  if (preconditioned()) {
    backend_.combine(std::span(coefficients_).first(compact_terms_.size()), compact_terms_, coefficients_.back(), scaled_grad, out);
  } else {
    terms_.push_back(scaled_grad);
    backend_.combine(coefficients_, terms_, out);
  }
  return slope;
}

}  // namespace impasto
