// Backend memory for one test: every piece poisoned before use and guarded on both sides.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace impasto::testing_support {

// How the bytes of backend memory are reached from the host, for guards and poison.
struct MemoryAccess {
  void (*write)(void* to, const void* from, std::int64_t bytes);
  void (*read)(void* to, const void* from, std::int64_t bytes);
};

// Backend memory that the host addresses directly.
MemoryAccess host_memory();

class Workbench {
 public:
  // What fresh memory holds. kNan: every float is NaN, so that reading what was never written shows in the result. kNumbers: other
  // bytes, so that a result that depends on them differs between two runs.
  enum class Poison : std::uint8_t { kNan = 0xff, kNumbers = 0x3d };

  // backend: borrowed. precision: what features are rounded to (support/rounding.h) when they are given and when they are read, for a
  // backend that keeps them in more; backends under proof round by themselves.
  explicit Workbench(Backend& backend, Poison poison = Poison::kNan, MemoryAccess memory = host_memory(),
                     Precision precision = Precision::kFp32);

  Backend& backend() { return backend_; }

  // All live as long as the workbench.
  Vector vector(std::int64_t size);
  Vector vector(std::span<const double> values);
  CompactVector compact_vector(std::int64_t size);
  Features features(Shape shape);
  Features features(Shape shape, std::span<const double> values);
  // A picture as the first layer reads it: planar like a vector.
  Features picture(Shape shape);
  Features picture(Shape shape, std::span<const double> values);
  Mask mask(Shape shape);
  double* results(std::int64_t count);
  void* scratch(std::int64_t bytes);

  std::vector<double> read(Vector vector);
  std::vector<double> read(Features features);
  std::vector<double> read_picture(Features picture);
  std::vector<double> read(const double* results, std::int64_t count);

  // "" while every guard is intact, otherwise which piece (counted from 0, in order of asking) was written past, where.
  std::string damage();

 private:
  struct Piece {
    Buffer buffer;
    std::int64_t bytes;
  };

  // Waits for what has been enqueued: guards are read behind the backend's back.
  void wait();
  void* piece(std::int64_t bytes);

  Backend& backend_;
  Poison poison_;
  MemoryAccess memory_;
  Precision precision_;
  std::vector<Piece> pieces_;
};

}  // namespace impasto::testing_support
