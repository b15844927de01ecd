// Kernels over vectors of a picture's size, as benchmarks prepare them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "bench/cuda/device.h"
#include "bench/cuda/traffic.h"
#include "kernels/backend.h"
#include "kernels/cuda/launch.h"

namespace impasto {

// Vectors of a full history of 100 pairs.
inline constexpr int kHistory = 200;

inline Work dots(Device& device, Shape picture) {
  const std::vector<Vector> many = device.vectors(kHistory, picture.size());
  const std::vector<Vector> few = device.vectors(2, picture.size());
  double* const results = device.results(2 * kHistory);
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().dots(many, few, results); }, traffic::dots(kHistory, bytes, 2, bytes)};
}

inline Work dots_of_itself(Device& device, Shape picture) {
  const std::vector<Vector> v = device.vectors(1, picture.size());
  double* const result = device.results(1);
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().dots(v, v, result); }, traffic::dots(1, bytes, 0, bytes)};
}

inline Work dots_compact(Device& device, Shape picture) {
  const std::vector<CompactVector> many = device.compact_vectors(kHistory, picture.size());
  const std::vector<Vector> few = device.vectors(2, picture.size());
  double* const results = device.results(2 * kHistory);
  return {[=, &device] { device.backend().dots(many, few, results); },
          traffic::dots(kHistory, device.backend().compact_bytes(picture.size()), 2, device.backend().vector_bytes(picture.size()))};
}

inline Work combine(Device& device, Shape picture) {
  const std::vector<Vector> terms = device.vectors(kHistory + 1, picture.size());
  const std::vector<double> coefficients(terms.size(), 0.001);
  const Vector out = device.vector(picture.size());
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  return {[=, &device] { device.backend().combine(coefficients, terms, out); }, traffic::combine(kHistory + 1, bytes, bytes)};
}

inline Work combine_compact(Device& device, Shape picture) {
  const std::vector<CompactVector> terms = device.compact_vectors(kHistory, picture.size());
  const std::vector<double> coefficients(terms.size(), 0.001);
  const Vector v = device.vector(picture.size());
  const Vector out = device.vector(picture.size());
  return {
      [=, &device] { device.backend().combine(coefficients, terms, -1.0, v, out); },
      traffic::combine_compact(kHistory, device.backend().compact_bytes(picture.size()), device.backend().vector_bytes(picture.size()))};
}

inline Work compress(Device& device, Shape picture) {
  const Vector v = device.vector(picture.size());
  const std::int64_t bytes = device.backend().compact_bytes(picture.size());
  const CompactVector to{device.memory(bytes), picture.size()};
  return {[=, &device] { device.backend().compress(v, to); }, traffic::compress(device.backend().vector_bytes(picture.size()), bytes)};
}

inline Work take_step(Device& device, Shape picture) {
  const std::vector<Vector> direction = device.vectors(1, picture.size());
  const Vector x = device.vector(picture.size());
  double* const squared = device.results(1);
  double* const taken = device.results(1);
  device.backend().dots(direction, direction, squared);
  return {[=, &device] {
            constexpr double kAnyLength = std::numeric_limits<double>::infinity();
            device.backend().take_step(direction[0], squared, 1e-6, kAnyLength, x, taken);
          },
          traffic::take_step(device.backend().vector_bytes(picture.size()))};
}

inline Work norms(Device& device, Shape picture) {
  const Vector v = device.vector(picture.size());
  double* const result = device.results(2);
  return {[=, &device] { device.backend().norms(v, result); }, traffic::norms(device.backend().vector_bytes(picture.size()))};
}

inline Work adam(Device& device, Shape picture) {
  const Vector grad = device.vector(picture.size());
  const Vector m = device.vector(picture.size());
  const Vector v = device.vector(picture.size());
  const Vector x = device.vector(picture.size());
  const std::int64_t bytes = device.backend().vector_bytes(picture.size());
  // The mean of squares: 0.0115 in float32.
  constexpr int kByte = 0x3c;
  cuda::check(cudaMemsetAsync(v.data, kByte, static_cast<std::size_t>(bytes), device.stream()), "filling device memory");
  return {[=, &device] { device.backend().adam(grad, {}, 2, m, v, x); }, traffic::adam(bytes)};
}

template <int kStep>
Work smooth(Device& device, Shape picture) {
  const std::vector<Vector> v = device.vectors(4, picture.size());
  return {[=, &device] { device.backend().smooth(v[0], picture, kStep, v[1], 0.5, v[2], v[3]); },
          traffic::smooth(device.backend().vector_bytes(picture.size()))};
}

inline Work total_variation(Device& device, Shape picture) {
  const Vector x = device.vector(picture.size());
  const Vector grad = device.vector(picture.size());
  double* const result = device.results(1);
  return {[=, &device] { device.backend().total_variation(x, picture, 1e-9, grad, result); }, traffic::total_variation(picture)};
}

struct VectorKernel {
  const char* name;
  Work (*prepare)(Device& device, Shape picture);
};

inline constexpr VectorKernel kVectorKernels[] = {
    {"dots/200x2", dots},
    {"dots/1x1", dots_of_itself},
    {"dots/compact_200x2", dots_compact},
    {"combine/201", combine},
    {"combine/compact_201", combine_compact},
    {"compress/picture", compress},
    {"take_step/picture", take_step},
    {"norms/picture", norms},
    {"adam/picture", adam},
    {"smooth/step_4", smooth<4>},
    {"smooth/step_64", smooth<64>},
    {"total_variation/picture", total_variation},
};

}  // namespace impasto
