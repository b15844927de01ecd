// The CUDA backend: activations in float32, binary16 or bfloat16, channels fastest (layout.h), convolutions by cuDNN, matrix
// products by cuBLAS, everything else by the kernels of this folder; one stream.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace impasto {

// Takes options.cuda_device, as the CUDA runtime counts devices, and options.precision. Throws DeviceError with the one reason why the
// device cannot be had, OptionError for a precision that it does not have (the message lists those it has).
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options);

// The stream that a backend of make_cuda_backend enqueues everything on, there as long as the backend: for what has to take its turn
// between the backend's operations. Undefined for other backends.
cudaStream_t cuda_stream(const Backend& backend);

// One line for each device, in order. Throws DeviceError with the one reason why there is none.
std::vector<std::string> describe_cuda_devices();

}  // namespace impasto
