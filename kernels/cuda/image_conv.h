// The first convolution: 3x3 with zero padding 1, stride 1, from a picture of 3 planes to c channels and its gradient back to the picture.
// Direct: at 64 channels the bytes and the multiply-adds take about as long as each other, so fewer of the latter would gain little.
// Pictures, weights and sums are float32; storage: of out and grad_out. Enqueued on the stream; does not wait.
#pragma once

#include <cuda_runtime.h>

#include "kernels/backend.h"
#include "kernels/cuda/storage.h"

namespace impasto::cuda {

// out (c, h, w) = weight * picture + bias, rectified if asked (NaN stays NaN); mask (nullptr data: none): where the sum is > 0.
//   weight  (27, c): tap (3 input channel + ky) * 3 + kx first, then output channel
//   bias    (c)
void image_conv_forward(Storage storage, Features picture, const float* weight, const float* bias, bool rectify, Features out, Mask mask,
                        cudaStream_t stream);

// grad_picture (3, h, w) = gradient with respect to the picture, for grad_out (c, h, w) taken where the mask's bit is set (nullptr data:
// everywhere). Every element's sum is taken in a fixed order.
//   plus      nullptr, or what is added where the gradient is written, as total_variation (losses.h) would add it afterwards
//   partials  image_conv_gradient_scratch_bytes, for plus
void image_conv_gradient(Storage storage, Features grad_out, Mask mask, const float* weight, Features grad_picture,
                         const TotalVariationTerm* plus, double* partials, cudaStream_t stream);
std::int64_t image_conv_gradient_scratch_bytes(Shape shape);

}  // namespace impasto::cuda
