// One block of backend memory, handed out front to back and never taken back: a run's whole memory, known before it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "impasto/session.h"
#include "kernels/backend.h"

namespace impasto {

// A workspace either measures or serves. To size one without guessing, build what will live in it twice: first with a measuring
// workspace, whose memory is nullptr and only counted, then with one of bytes() bytes.
class Workspace {
 public:
  // Measures.
  explicit Workspace(Backend& backend) : backend_(backend) {}
  // Serves `bytes` bytes. Throws OutOfMemoryError when they cannot be had.
  Workspace(Backend& backend, std::int64_t bytes) : backend_(backend), measuring_(false), memory_(backend.allocate(bytes)) {}
  Workspace(Workspace&&) = default;

  // `bytes` bytes aligned to kAlignment, living as long as the workspace. `purpose` is what memory plans call them.
  void* take(std::int64_t bytes, const char* purpose);
  Vector vector(std::int64_t size, const char* purpose) { return {take(backend_.vector_bytes(size), purpose), size}; }
  CompactVector compact_vector(std::int64_t size, const char* purpose) { return {take(backend_.compact_bytes(size), purpose), size}; }
  Features features(Shape shape, const char* purpose) { return {take(backend_.features_bytes(shape), purpose), shape}; }
  Mask mask(Shape shape, const char* purpose) { return {take(backend_.mask_bytes(shape), purpose), shape}; }

  // Counts memory that something living with the workspace holds elsewhere.
  void count(std::int64_t bytes, const char* purpose);

  bool measuring() const { return measuring_; }
  std::int64_t bytes() const { return used_; }
  // What was taken or counted, by purpose, largest first.
  std::vector<MemoryUse> uses() const;

  // Enough for any vector instruction and for a GPU's widest transaction.
  static constexpr std::int64_t kAlignment = 256;

 private:
  Backend& backend_;
  bool measuring_ = true;
  Buffer memory_;
  std::int64_t used_ = 0;
  std::vector<MemoryUse> uses_;
};

}  // namespace impasto
