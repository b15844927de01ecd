// What operations take on the device.
#pragma once

#include <cuda_runtime.h>

#include <functional>

namespace impasto::cuda {

// Milliseconds on the device, the median of a few calls of `enqueue`, which enqueues on the stream and is called once more before; with
// gaps where the host takes longer to enqueue than the device to carry out. Waits. Throws what enqueue throws, and DeviceError.
double median_call_milliseconds(const std::function<void()>& enqueue, cudaStream_t stream);

// The same of replays of what `operations` enqueues: as a run replays it, without what the host takes to enqueue it. operations: as for
// Backend::record.
double median_milliseconds(const std::function<void()>& operations, cudaStream_t stream);

}  // namespace impasto::cuda
