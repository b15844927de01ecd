// Memory with numbers on it, and what a benchmark times.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bench/cuda/traffic.h"
#include "bench/numbers.h"
#include "kernels/backend.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/dnn.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pooling.h"
#include "kernels/cuda/storage.h"

namespace impasto {

// A backend of one precision, and memory with numbers on it.
class Device {
 public:
  explicit Device(Precision precision)
      : precision_(precision),
        backend_(make_cuda_backend({.precision = precision})),
        for_features_{backend_->allocate(kPattern * number()), number()},
        for_vectors_{backend_->allocate(kPattern * std::int64_t{sizeof(float)}), sizeof(float)} {
    const std::vector<double> values = numbers(kPattern);
    backend_->upload(values, Features{for_features_.buffer.data(), {1, 1, kPattern}});
    backend_->upload(values, Vector{for_vectors_.buffer.data(), kPattern});
  }

  Backend& backend() const { return *backend_; }
  cudaStream_t stream() const { return cuda_stream(*backend_); }
  Precision precision() const { return precision_; }
  cuda::Storage storage() const { return cuda::storage_of(precision_); }
  // Bytes of one number of Features.
  std::int64_t number() const { return cuda::bytes_of(storage()); }
  cuda::Dnn& dnn() {
    if (dnn_ == nullptr) dnn_ = cuda::make_dnn(stream());
    return *dnn_;
  }

  // Uninitialised, until free().
  void* memory(std::int64_t bytes) { return buffers_.emplace_back(backend_->allocate(bytes)).data(); }
  Features features(Shape shape) {
    const Features made{memory(backend_->features_bytes(shape)), shape};
    fill(for_features_, made.data, backend_->features_bytes(shape));
    return made;
  }
  Vector vector(std::int64_t size) {
    const Vector made{memory(backend_->vector_bytes(size)), size};
    fill_with_floats(made.data, backend_->vector_bytes(size));
    return made;
  }
  std::vector<Vector> vectors(int count, std::int64_t size) {
    std::vector<Vector> made;
    for (int i = 0; i < count; ++i) made.push_back(vector(size));
    return made;
  }
  // All of one vector.
  std::vector<CompactVector> compact_vectors(int count, std::int64_t size) {
    const Vector v = vector(size);
    std::vector<CompactVector> made;
    for (int i = 0; i < count; ++i) {
      made.push_back({memory(backend_->compact_bytes(size)), size});
      backend_->compress(v, made.back());
    }
    return made;
  }
  Mask mask(Shape shape) { return {memory(backend_->mask_bytes(shape)), shape}; }
  // With about half of the bits set.
  Mask mask_of(Features f) {
    const Mask made = mask(f.shape);
    cuda::record_positive(storage(), f, made, stream());
    return made;
  }
  double* results(std::int64_t count) { return static_cast<double*>(memory(count * std::int64_t{sizeof(double)})); }

  void fill_with_floats(void* to, std::int64_t bytes) { fill(for_vectors_, to, bytes); }

  void free() { buffers_.clear(); }

 private:
  struct Pattern {
    Buffer buffer;
    std::int64_t number;
  };

  // Prime, so that rows and planes begin with different numbers.
  static constexpr int kPattern = 999'983;

  // From another place of the pattern on each time: no two tensors are the same.
  void fill(const Pattern& pattern, void* to, std::int64_t bytes) {
    constexpr int kNextPlace = 77'777;
    place_ = (place_ + kNextPlace) % (kPattern / 2);
    const char* const from = static_cast<const char*>(pattern.buffer.data()) + place_ * pattern.number;
    // By doubling: what is there so far is copied behind itself.
    for (std::int64_t done = 0; done < bytes;) {
      const std::int64_t part = std::min(bytes - done, done == 0 ? pattern.buffer.bytes() - place_ * pattern.number : done);
      cuda::check(cudaMemcpyAsync(static_cast<char*>(to) + done, done == 0 ? from : to, static_cast<std::size_t>(part),
                                  cudaMemcpyDeviceToDevice, stream()),
                  "filling device memory");
      done += part;
    }
  }

  Precision precision_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<cuda::Dnn> dnn_;
  Pattern for_features_;
  Pattern for_vectors_;
  std::int64_t place_ = 0;
  std::vector<Buffer> buffers_;
};

// What a benchmark times.
struct Work {
  std::function<void()> enqueue;
  traffic::Traffic traffic;
  // Multiplications and additions; 0 of what is bound by memory.
  double operations = 0;
};

}  // namespace impasto
