#include "engine/lbfgs_history.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace impasto {
namespace {

// Vectors whose dot products with everything remembered are new at each step: the offered change and the gradient.
constexpr std::size_t kFresh = 2;
// Dot products among the offered pair and the gradient: three times three.
constexpr std::size_t kOwn = 9;

}  // namespace

int LbfgsHistory::result_count(int capacity) { return static_cast<int>(kFresh) * 2 * capacity + static_cast<int>(kOwn); }

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
  if (preconditioned()) {
    step_ = workspace.vector(size, "optimiser");
    change_ = workspace.vector(size, "optimiser");
    scaled_change_ = workspace.vector(size, "optimiser");
  }
  const std::size_t slots = static_cast<std::size_t>(slots_);
  step_changes_.assign(slots * slots, 0.0);
  change_changes_.assign(slots * slots, 0.0);
  step_grads_.assign(slots, 0.0);
  change_grads_.assign(slots, 0.0);
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

void LbfgsHistory::measure(Vector grad, Vector scaled_grad) {
  if (preconditioned()) {
    backend_.compress(step_, compact_steps_[offered_]);
    backend_.compress(scaled_change_, compact_changes_[offered_]);
  }
  const std::array<Vector, kFresh> fresh = {offered_change(), grad};
  list_remembered();
  if (preconditioned()) {
    backend_.dots(compact_terms_, fresh, results_.at);
  } else {
    backend_.dots(terms_, fresh, results_.at);
  }
  backend_.dots(std::array{offered_step(), offered_scaled_change(), scaled_grad}, std::array{offered_step(), offered_change(), grad},
                results_.at + kFresh * 2 * order_.size());
}

LbfgsHistory::Curvature LbfgsHistory::measured() {
  const std::size_t k = order_.size();
  for (std::size_t i = 0; i < k; ++i) {
    const int slot = order_[i];
    const double* of_step = results_.host + kFresh * i;
    const double* of_change = results_.host + kFresh * (k + i);
    step_change(slot, offered_) = of_step[0];
    step_grads_[slot] = of_step[1];
    change_change(slot, offered_) = change_change(offered_, slot) = of_change[0];
    change_grads_[slot] = of_change[1];
  }
  std::array<double, kOwn> products;
  std::copy_n(results_.host + kFresh * 2 * k, kOwn, products.begin());
  // Of s, M y, M g with s, y, g.
  const auto [ss, sy, sg, ys, ymy, yg, gs, gy, gg] = products;
  step_change(offered_, offered_) = sy;
  step_grads_[offered_] = sg;
  change_change(offered_, offered_) = ymy;
  change_grads_[offered_] = yg;
  grad_grad_ = gg;
  return {ss, sy, ymy};
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
