#include "kernels/cuda/memory.h"

#include <algorithm>
#include <string>

#include "impasto/error.h"
#include "kernels/cuda/launch.h"

namespace impasto::cuda {
namespace {

std::string mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

Buffer allocate(std::int64_t bytes) {
  const std::int64_t size = std::max<std::int64_t>(bytes, 1);
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, static_cast<std::size_t>(size));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0;
    std::size_t total = 0;
    const bool known = cudaMemGetInfo(&free, &total) == cudaSuccess;
    std::string message = "out of device memory: " + mebibytes(size + (1 << 20) - 1) + " are needed";
    if (known) {
      message += ", " + mebibytes(static_cast<std::int64_t>(free)) + " of " + mebibytes(static_cast<std::int64_t>(total)) + " are free";
    }
    throw OutOfMemoryError(message, size, known ? static_cast<std::int64_t>(free) : -1);
  }
  check(status, "allocating device memory");
  // A destructor has nobody to tell; what was wrong with the device shows at the next call.
  return Buffer(data, size, [](void* pointer, std::int64_t) { cudaFree(pointer); });
}

Buffer upload(std::span<const std::byte> host, cudaStream_t stream) {
  Buffer buffer = allocate(std::ssize(host));
  check(cudaMemcpyAsync(buffer.data(), host.data(), host.size(), cudaMemcpyHostToDevice, stream), "copying to the device");
  check(cudaStreamSynchronize(stream), "waiting for the device");
  return buffer;
}

}  // namespace impasto::cuda
