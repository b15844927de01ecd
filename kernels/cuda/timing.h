// What operations take on the device.
#pragma once

#include <cuda_runtime.h>

#include <functional>

namespace impasto::cuda {

// Milliseconds on the device, the median of a few replays of what `operations` enqueues on the stream: as a run replays it, without what
// the host takes to enqueue it. operations: as for Backend::record; called once more before. Waits. Throws what it throws, and DeviceError.
double median_milliseconds(const std::function<void()>& operations, cudaStream_t stream);

}  // namespace impasto::cuda
