// How activations lie in device memory.
//
// Features: float32, binary16 or bfloat16 (storage.h), channels fastest (NHWC without N): element (channel, pixel) at pixel * c + channel.
// Mask: one bit for each element of the plane, set where the gradient passes (ReLU let the element through; max pooling chose it): word
// pixel * mask_words(c) + channel / 32, bit channel % 32; bits past the last channel are 0.
// Picture (the input of the first convolution) and all Vectors: float32, channel by channel.
#pragma once

#include <cstdint>

#include "kernels/tensor.h"

namespace impasto::cuda {

inline std::int64_t mask_words(int channels) { return (std::int64_t{channels} + 31) / 32; }

inline float* floats(Vector v) { return static_cast<float*>(v.data); }
// A picture's.
inline float* floats(Features f) { return static_cast<float*>(f.data); }
template <class Number>
Number* numbers(Features f) {
  return static_cast<Number*>(f.data);
}
inline std::uint32_t* words(Mask m) { return static_cast<std::uint32_t*>(m.data); }

}  // namespace impasto::cuda
