// What losses need besides matrix products: distances of features, total variation, the end of a Gram matrix, the smoothing of the image
// basis. Enqueued on the stream; none waits. As the operations of the same names in kernels/backend.h, their arguments already checked.
#pragma once

#include <cuda_runtime.h>

#include "kernels/backend.h"
#include "kernels/cuda/storage.h"

namespace impasto::cuda {

// storage: of all Features.
void feature_distance(Storage storage, Features f, Features p, double scale, Features grad_f, double* partials, double* result,
                      cudaStream_t stream);
void total_variation(Vector x, Shape shape, double scale, Vector grad, double* partials, double* result, cudaStream_t stream);

// g (c, c) = sum over pieces of products (pieces, c, c), in order and in double, times scale; the element below the diagonal is taken from
// above it, so that g is symmetric to the bit.
void finish_gram(const float* products, int pieces, int c, double scale, Vector g, cudaStream_t stream);

// to = from, rounded to bfloat16: what a Gram matrix's gradient multiplies with features in bfloat16.
void round_to_bfloat16(Vector from, __nv_bfloat16* to, cudaStream_t stream);

// The same for features in binary16, which may not hold numbers as large or as small: to = 2^e from, rounded, with e such that the largest
// magnitude lies in [2^14, 2^15), and scalars = {2^-e scale, 1}, what makes up for it in a product and what leaves the sum it is added to.
// norms: device memory with those of `from` (Backend::norms). NaN and infinities stay (e = 0).
void scale_to_half(Vector from, const double* norms, double scale, __half* to, float* scalars, cudaStream_t stream);

void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch, cudaStream_t stream);

}  // namespace impasto::cuda
