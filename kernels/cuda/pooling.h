// ReLU, 2x2 pooling, and their gradients. Layout: layout.h. All are enqueued on the stream and do not wait; memory is the caller's.
// storage: of all Features of a call.
#pragma once

#include <cuda_runtime.h>

#include "kernels/backend.h"
#include "kernels/cuda/storage.h"

namespace impasto::cuda {

// out = max(in, 0), NaN stays NaN; mask (nullptr data: none): where in > 0. shape: of all three. out may be in.
void relu(Storage storage, Features in, Features out, Mask mask, cudaStream_t stream);

// mask (of in's shape): where in > 0. For what is rectified already: writes nothing else.
void record_positive(Storage storage, Features in, Mask mask, cudaStream_t stream);

// out = in where the mask's bit is set, 0 elsewhere. out may be in.
void pass_masked(Storage storage, Features in, Mask mask, Features out, cudaStream_t stream);

// out = 2x2 pooling (stride 2, odd last row and column dropped) of in; kMax: NaN where a window holds one; kAverage: rounded once.
//   mask       nullptr data: none. kMax: the bit of the first largest of each window in row order. kAverage: unused without `rectified`.
//   rectified  in is the output of a ReLU: only bits of elements > 0 are set (kMax), and kAverage sets those of all elements > 0.
// Every word of the mask is written, also those of an odd last row or column (0).
void pool(Storage storage, PoolKind kind, Features in, bool rectified, Features out, Mask mask, cudaStream_t stream);

// grad_in = gradient with respect to the input of pool: kMax: grad_out at the places whose bit is set, 0 elsewhere; kAverage: a quarter of
// grad_out, where the bit is set if there is a mask (nullptr data: everywhere); 0 in an odd last row or column.
void unpool(Storage storage, PoolKind kind, Features grad_out, Mask mask, Features grad_in, cudaStream_t stream);

}  // namespace impasto::cuda
