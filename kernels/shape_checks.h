// What every backend demands of its arguments. Each check throws ShapeError naming the operation, the argument, what it is and
// what would be accepted.
#pragma once

#include <string>

#include "impasto/error.h"
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

}  // namespace impasto::checks
