// Total variation at one pixel of a plane: in double, unlike features, for a picture is small beside them.
#pragma once

#include <cuda_runtime.h>

namespace impasto::cuda {

struct VariationAt {
  // Of the differences to the pixel below and to the right, squared.
  double sum;
  // Half the derivative of all squares that the pixel is in.
  double slope;
};

// at: element (i, j) of a plane of h rows of w numbers. No difference reaches past the border.
__device__ inline VariationAt variation_at(const float* __restrict__ at, int i, int j, int h, int w) {
  const double here = *at;
  const double down = i + 1 < h ? at[w] - here : 0.0;
  const double right = j + 1 < w ? at[1] - here : 0.0;
  const double up = i > 0 ? here - at[-w] : 0.0;
  const double left = j > 0 ? here - at[-1] : 0.0;
  return {down * down + right * right, up - down + left - right};
}

}  // namespace impasto::cuda
