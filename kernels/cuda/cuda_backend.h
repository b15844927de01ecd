// The CUDA backend: activations in float32, channels fastest (layout.h), convolutions by cuDNN, matrix products by cuBLAS, everything else
// by the kernels of this folder; one stream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace impasto {

// On device `device` as the CUDA runtime counts them. Throws DeviceError with the one reason why it cannot be had.
std::unique_ptr<Backend> make_cuda_backend(int device);

// One line for each device, in order. Throws DeviceError with the one reason why there is none.
std::vector<std::string> describe_cuda_devices();

}  // namespace impasto
