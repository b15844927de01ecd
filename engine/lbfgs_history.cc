#include "engine/lbfgs_history.h"

#include <array>
#include <cstddef>
#include <span>

namespace impasto {

LbfgsHistory::LbfgsHistory(Backend& backend, std::int64_t size, int capacity, Workspace& workspace) : backend_(backend) {
  for (int i = 0; i <= capacity; ++i) {
    steps_.push_back(workspace.vector(size, "L-BFGS history"));
    changes_.push_back(workspace.vector(size, "L-BFGS history"));
  }
  const std::size_t vectors = 2 * steps_.size() + 1;
  dots_.assign(vectors * vectors, 0.0);
  host_results_.reserve(3 * vectors);
  terms_.reserve(vectors);
  indices_.reserve(vectors);
  coefficients_.reserve(vectors);
  alphas_.reserve(steps_.size());
  order_.reserve(steps_.size());
  results_ = static_cast<double*>(workspace.take(3 * vectors * sizeof(double), "results"));
}

LbfgsHistory::Curvature LbfgsHistory::measure(Vector grad) {
  terms_.clear();
  indices_.clear();
  const auto add = [&](Vector v, int index) {
    terms_.push_back(v);
    indices_.push_back(index);
  };
  for (const int slot : order_) add(steps_[slot], step_index(slot));
  for (const int slot : order_) add(changes_[slot], change_index(slot));
  add(steps_[offered_], step_index(offered_));
  add(changes_[offered_], change_index(offered_));
  add(grad, gradient_index());

  const std::array<Vector, 3> fresh = {steps_[offered_], changes_[offered_], grad};
  const std::array<int, 3> fresh_index = {step_index(offered_), change_index(offered_), gradient_index()};
  host_results_.resize(3 * terms_.size());
  backend_.dots(terms_, fresh, results_);
  backend_.fetch(results_, host_results_);
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    for (std::size_t j = 0; j < fresh.size(); ++j) store_dots(indices_[i], fresh_index[j], host_results_[3 * i + j]);
  }
  const int s = step_index(offered_);
  const int y = change_index(offered_);
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
  terms_.clear();
  indices_.clear();
  for (const int slot : order_) {
    terms_.push_back(steps_[slot]);
    indices_.push_back(step_index(slot));
  }
  for (const int slot : order_) {
    terms_.push_back(changes_[slot]);
    indices_.push_back(change_index(slot));
  }
  terms_.push_back(grad);
  indices_.push_back(gradient_index());
  coefficients_.assign(2 * k + 1, 0.0);
  alphas_.assign(k, 0.0);
  const auto dot_with = [&](int index) {
    double sum = 0;
    for (std::size_t j = 0; j < terms_.size(); ++j) sum += coefficients_[j] * dot(indices_[j], index);
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
  backend_.combine(coefficients_, terms_, out);

  Direction direction{dot_with(gradient_index()), 0.0};
  for (std::size_t j = 0; j < terms_.size(); ++j) direction.norm_squared += coefficients_[j] * dot_with(indices_[j]);
  return direction;
}

}  // namespace impasto
