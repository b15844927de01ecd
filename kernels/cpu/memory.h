// Memory of the CPU backend.
#pragma once

#include <cstdint>

#include "kernels/tensor.h"

namespace impasto::cpu {

inline constexpr std::int64_t kAlignment = 64;
inline std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Uninitialised, aligned to 64 bytes; from 2 MiB on, on huge pages where the system grants them: the Winograd transforms write to up to
// 64 places far apart at a time, more than the first-level TLB has entries for small pages. Throws OutOfMemoryError.
Buffer allocate(std::int64_t bytes);

// Cuts a piece of scratch into aligned parts. With a null start it only counts.
class ScratchCutter {
 public:
  explicit ScratchCutter(void* scratch) : at_(static_cast<char*>(scratch)) {}

  template <class T>
  T* take(std::int64_t count) {
    T* const part = at_ == nullptr ? nullptr : reinterpret_cast<T*>(at_ + used_);
    used_ += aligned(count * static_cast<std::int64_t>(sizeof(T)));
    return part;
  }
  std::int64_t used() const { return used_; }

 private:
  char* at_;
  std::int64_t used_ = 0;
};

}  // namespace impasto::cpu
