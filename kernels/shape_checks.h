// What every backend demands of its arguments. Each check throws ShapeError naming the operation, the argument, what it is and
// what would be accepted.
#pragma once

#include <string>
#include <variant>

#include "impasto/error.h"
#include "kernels/backend.h"
#include "kernels/tensor.h"

namespace impasto::checks {

inline std::string text(Shape s) { return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w); }

inline void require_shape(const char* operation, const char* argument, Shape is, Shape wanted) {
  if (is == wanted) return;
  throw ShapeError(std::string(operation) + ": " + argument + " is " + text(is) + ", must be " + text(wanted) +
                   " (channels x rows x columns)");
}

inline void require_positive(const char* operation, const char* argument, Shape is) {
  if (is.c >= 1 && is.h >= 1 && is.w >= 1) return;
  throw ShapeError(std::string(operation) + ": " + argument + " is " + text(is) + ", every size must be at least 1");
}

inline void require_poolable(const char* operation, const char* argument, Shape is) {
  if (is.c >= 1 && is.h >= 2 && is.w >= 2) return;
  throw ShapeError(std::string(operation) + ": " + argument + " is " + text(is) + ", 2x2 pooling needs at least 2 rows and 2 columns");
}

inline void require_size(const char* operation, const char* argument, std::int64_t is, std::int64_t wanted) {
  if (is == wanted) return;
  throw ShapeError(std::string(operation) + ": " + argument + " has " + std::to_string(is) + " elements, must have " +
                   std::to_string(wanted));
}

inline void require_loadable(const FilterSpec& spec) {
  const auto require_at_least_one = [](const char* argument, int is) {
    if (is < 1) throw ShapeError(std::string("load_filters: ") + argument + " is " + std::to_string(is) + ", must be at least 1");
  };
  require_at_least_one("in_channels", spec.in_channels);
  require_at_least_one("out_channels", spec.out_channels);
  if (spec.reads_image && spec.in_channels != 3) {
    throw ShapeError("load_filters: in_channels is " + std::to_string(spec.in_channels) + ", a picture has 3 channels");
  }
  require_size("load_filters", "weight", std::ssize(spec.weight), std::int64_t{9} * spec.in_channels * spec.out_channels);
  require_size("load_filters", "bias", std::ssize(spec.bias), spec.out_channels);
}

inline void require_gram_term(const char* operation, const GramTerm& term, Shape grad) {
  require_positive(operation, "f", term.f.shape);
  require_shape(operation, "f", term.f.shape, grad);
  require_size(operation, "grad_g", term.grad_g.size, std::int64_t{grad.c} * grad.c);
}

// plus of ConvPlan::gradient.
inline void require_loss_term(const char* operation, const ConvSpec& spec, const LossTerm& plus) {
  if (const GramTerm* gram = std::get_if<GramTerm>(&plus)) {
    if (spec.filters->reads_image) throw ShapeError(std::string(operation) + ": a picture has no Gram matrix to add the gradient of");
    require_gram_term(operation, *gram, spec.input());
  }
  if (const TotalVariationTerm* variation = std::get_if<TotalVariationTerm>(&plus)) {
    if (!spec.filters->reads_image) throw ShapeError(std::string(operation) + ": features have no total variation to add the gradient of");
    require_size(operation, "x", variation->x.size, spec.input().size());
  }
}

inline void require_plannable(const ConvSpec& spec) {
  require_positive("plan_conv3x3", "input", spec.input());
  if (spec.pools()) require_poolable("plan_conv3x3", "input", spec.input());
}

}  // namespace impasto::checks
