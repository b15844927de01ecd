// What the CUDA backend's own kernels move past a device's memory, by arithmetic: every tensor once for each pass over it. Left out is what
// is small beside the tensors: filters, partial sums, results, what neighbouring tiles read twice. docs/design.md has the sums of an
// evaluation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/vgg19.h"
#include "kernels/tensor.h"

namespace impasto::traffic {

// Bytes of different memory.
struct Traffic {
  std::int64_t read = 0;
  std::int64_t written = 0;
  // Read and written, in place or by one kernel for the next.
  std::int64_t updated = 0;

  std::int64_t moved() const { return read + written + 2 * updated; }
  // What a cache that spares the memory all of it has to hold.
  std::int64_t touched() const { return read + written + updated; }

  Traffic operator+(const Traffic& other) const { return {read + other.read, written + other.written, updated + other.updated}; }
};

// --- tensors ----------------------------------------------------------------------------------------------------------------------------
// `number` throughout: bytes of one number of Features, 4 or 2. Everything else is float32.

inline std::int64_t floats(std::int64_t count) { return 4 * count; }
inline std::int64_t features(Shape shape, std::int64_t number) { return number * shape.size(); }
inline std::int64_t mask(Shape shape) { return 4 * ((std::int64_t{shape.c} + 31) / 32) * shape.plane(); }
inline std::int64_t picture(Shape shape) { return floats(3 * shape.plane()); }

// --- features; shapes are those before pooling ------------------------------------------------------------------------------------------

inline Traffic image_conv_forward(Shape out, std::int64_t number) { return {picture(out), features(out, number) + mask(out)}; }
inline Traffic image_conv_gradient(Shape grad_out, std::int64_t number) {
  return {features(grad_out, number) + mask(grad_out), picture(grad_out)};
}
inline Traffic image_conv_gradient_with_total_variation(Shape grad_out, std::int64_t number) {
  return image_conv_gradient(grad_out, number) + Traffic{picture(grad_out)};
}
inline Traffic record_positive(Shape shape, std::int64_t number) { return {features(shape, number), mask(shape)}; }
inline Traffic relu(Shape shape, std::int64_t number) { return {features(shape, number), features(shape, number) + mask(shape)}; }
inline Traffic pass_masked(Shape shape, std::int64_t number) { return {features(shape, number) + mask(shape), features(shape, number)}; }
inline Traffic pool(Shape in, std::int64_t number) { return {features(in, number), features(pooled(in), number) + mask(in)}; }
inline Traffic unpool(Shape grad_in, std::int64_t number) {
  return {features(pooled(grad_in), number) + mask(grad_in), features(grad_in, number)};
}
inline Traffic fill_zero(Shape shape, std::int64_t number) { return {0, features(shape, number)}; }
inline Traffic feature_distance(Shape shape, std::int64_t number) { return {2 * features(shape, number), 0, features(shape, number)}; }

// --- losses of float32 ------------------------------------------------------------------------------------------------------------------

// Of the pieces' products only what is not below the diagonal is read.
inline Traffic finish_gram(std::int64_t pieces, std::int64_t c) { return {floats(pieces * c * (c + 1) / 2), floats(c * c)}; }
// The difference to its target, in place, and the sum of its squares, which reads once more.
inline Traffic gram_difference(std::int64_t c) { return {2 * floats(c * c), 0, floats(c * c)}; }
inline Traffic total_variation(Shape shape) { return {picture(shape), 0, picture(shape)}; }

// --- vectors; `vector`, `compact`: bytes of one of either form
// ----------------------------------------------------------------------------

// Of vectors of which none is both among many and few.
inline Traffic dots(int many, std::int64_t bytes_of_many, int few, std::int64_t vector) { return {many * bytes_of_many + few * vector}; }
inline Traffic combine(int terms, std::int64_t bytes_of_term, std::int64_t vector) { return {terms * bytes_of_term, vector}; }
// What is scaled and joins the terms is a vector of its own.
inline Traffic combine_compact(int terms, std::int64_t compact, std::int64_t vector) { return {terms * compact + vector, vector}; }
inline Traffic compress(std::int64_t vector, std::int64_t compact) { return {0, compact, vector}; }
inline Traffic take_step(std::int64_t vector) { return {vector, 0, vector}; }
inline Traffic norms(std::int64_t vector) { return {vector}; }
inline Traffic adam(std::int64_t vector) { return {vector, 0, 3 * vector}; }
// Along rows into the scratch memory, across rows from there; the sum in place.
inline Traffic smooth(std::int64_t vector) { return {vector, vector, 2 * vector}; }

// --- an evaluation ----------------------------------------------------------------------------------------------------------------------

struct Layer {
  std::string name;
  int in_channels;
  Shape convolved;
  bool pools;
};

// Those that the default losses reach, conv1_1 to conv5_1, for a picture of this size.
inline std::vector<Layer> evaluated_layers(int h, int w) {
  constexpr int kDeepest = 12;
  std::vector<Layer> layers;
  Shape plane{1, h, w};
  for (int i = 0; i <= kDeepest; ++i) {
    const ConvLayer& layer = kVgg19[static_cast<std::size_t>(i)];
    layers.push_back({layer.name, layer.in_channels, {layer.out_channels, plane.h, plane.w}, layer.pool_after});
    if (layer.pool_after) plane = pooled(plane);
  }
  return layers;
}

}  // namespace impasto::traffic
