// Recorded operations, as CUDA graphs: one launch for some two hundred.
#pragma once

#include <cuda_runtime.h>

#include "kernels/backend.h"

namespace impasto::cuda {

// As Backend::record, of operations on this stream. The stream must not be recording already, and must be there for every replay.
Recording record(const std::function<void()>& operations, cudaStream_t stream);

}  // namespace impasto::cuda
