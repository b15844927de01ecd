// What the host knows of a gradient that stays with the backend.
#pragma once

namespace impasto {

struct GradientNorms {
  double sum = 0;      // sum |g_i|
  double largest = 0;  // max |g_i|
  double squared = 0;  // g . g
};

}  // namespace impasto
