#include "tests/support/workbench.h"

#include <cstring>
#include <utility>

#include "tests/support/rounding.h"

namespace impasto::testing_support {
namespace {

// A multiple of any alignment a backend asks for, so that what lies between guards is as aligned as a buffer of its own.
constexpr std::int64_t kGuardBytes = 1024;

// NaN in every format that numbers may have, of 2, 4 or 8 bytes: so that what is read past an end shows even when it is multiplied by 0.
std::uint8_t guard_byte(std::int64_t i) { return static_cast<std::uint8_t>(i % 2 != 0 ? 0xff : 0xf1 + i / 2 * 5 % 14); }

}  // namespace

MemoryAccess host_memory() {
  const auto copy = [](void* to, const void* from, std::int64_t bytes) { std::memcpy(to, from, static_cast<std::size_t>(bytes)); };
  return {copy, copy};
}

Workbench::Workbench(Backend& backend, Poison poison, MemoryAccess memory, Precision precision)
    : backend_(backend), poison_(poison), memory_(memory), precision_(precision) {}

void* Workbench::piece(std::int64_t bytes) {
  std::vector<std::uint8_t> content(static_cast<std::size_t>(bytes + 2 * kGuardBytes), static_cast<std::uint8_t>(poison_));
  for (std::int64_t i = 0; i < kGuardBytes; ++i) {
    content[static_cast<std::size_t>(i)] = content[static_cast<std::size_t>(kGuardBytes + bytes + i)] = guard_byte(i);
  }
  Buffer buffer = backend_.allocate(std::ssize(content));
  memory_.write(buffer.data(), content.data(), std::ssize(content));
  pieces_.push_back({std::move(buffer), bytes});
  return static_cast<std::uint8_t*>(pieces_.back().buffer.data()) + kGuardBytes;
}

Vector Workbench::vector(std::int64_t size) { return {piece(backend_.vector_bytes(size)), size}; }

Vector Workbench::vector(std::span<const double> values) {
  const Vector made = vector(std::ssize(values));
  backend_.upload(values, made);
  return made;
}

CompactVector Workbench::compact_vector(std::int64_t size) { return {piece(backend_.compact_bytes(size)), size}; }

Features Workbench::features(Shape shape) { return {piece(backend_.features_bytes(shape)), shape}; }

Features Workbench::features(Shape shape, std::span<const double> values) {
  const Features made = features(shape);
  backend_.upload(stored(values, precision_), made);
  return made;
}

Features Workbench::picture(Shape shape) { return {vector(shape.size()).data, shape}; }

Features Workbench::picture(Shape shape, std::span<const double> values) { return {vector(values).data, shape}; }

Mask Workbench::mask(Shape shape) { return {piece(backend_.mask_bytes(shape)), shape}; }

double* Workbench::results(std::int64_t count) { return static_cast<double*>(piece(count * std::int64_t{sizeof(double)})); }

void* Workbench::scratch(std::int64_t bytes) { return piece(bytes); }

std::vector<double> Workbench::read(Vector vector) {
  std::vector<double> host(static_cast<std::size_t>(vector.size));
  backend_.download(vector, host);
  return host;
}

std::vector<double> Workbench::read(Features features) {
  std::vector<double> host(static_cast<std::size_t>(features.shape.size()));
  backend_.download(features, host);
  return stored(host, precision_);
}

std::vector<double> Workbench::read_picture(Features picture) { return read(Vector{picture.data, picture.shape.size()}); }

std::vector<double> Workbench::read(const double* results, std::int64_t count) {
  std::vector<double> host(static_cast<std::size_t>(count));
  backend_.fetch(results, host);
  return host;
}

void Workbench::wait() { read(results(1), 1); }

std::string Workbench::damage() {
  wait();
  std::vector<std::uint8_t> guard(static_cast<std::size_t>(kGuardBytes));
  for (std::size_t p = 0; p < pieces_.size(); ++p) {
    const auto* start = static_cast<const std::uint8_t*>(pieces_[p].buffer.data());
    for (bool after : {false, true}) {
      memory_.read(guard.data(), after ? start + kGuardBytes + pieces_[p].bytes : start, kGuardBytes);
      for (std::int64_t i = 0; i < kGuardBytes; ++i) {
        if (guard[static_cast<std::size_t>(i)] == guard_byte(i)) continue;
        return "piece " + std::to_string(p) + " of " + std::to_string(pieces_[p].bytes) + " bytes was written " +
               (after ? std::to_string(i) + " bytes past its end" : std::to_string(kGuardBytes - i) + " bytes before its start");
      }
    }
  }
  return "";
}

}  // namespace impasto::testing_support
