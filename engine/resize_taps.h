// Which samples make one resampled sample, along one axis, and with what weights.
#pragma once

#include <cstddef>
#include <vector>

#include "impasto/image.h"

namespace impasto {

// Output sample i is the sum over k < count of weights[k] * input[first + k]. first + count never passes the input.
struct Tap {
  int first = 0;
  int count = 0;
  std::size_t offset = 0;  // of its weights in AxisTaps::weights
};

struct AxisTaps {
  std::vector<Tap> taps;  // one per output sample
  std::vector<float> weights;
};

// Pillow's convention (Pillow 10, src/libImaging/Resample.c, precompute_coeffs): output i is centred at (i + 0.5) * in / out input
// samples, the filter is widened by in / out where that is above 1, and each set of weights is scaled to sum 1. in, out >= 1.
AxisTaps antialiased_taps(int in, int out, Filter filter);

// Two taps around (i + 0.5) * in / out - 0.5, positions outside the samples moved to the nearest: torch's align_corners=False.
AxisTaps interpolating_taps(int in, int out);

}  // namespace impasto
