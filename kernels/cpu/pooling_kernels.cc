// ReLU and 2x2 pooling by themselves, where no convolution carries them as its epilogue.
#include "kernels/cpu/pooling_kernels.h"

#include "kernels/cpu/max_pooling.h"

namespace impasto::cpu::IMPASTO_ISA {

void relu(const float* in, std::int64_t pixels, float* out, std::uint16_t* mask) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = i * kBlock + part * kLanes;
      const VecF v = rectified(load(in + at));
      store(out + at, v);
      if (mask != nullptr) store_bits(mask + i, part, greater_bits(v, VecF{}));
    }
  }
}

void relu_gradient(const std::uint16_t* mask, std::int64_t pixels, float* grad) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (int part = 0; part < kParts; ++part) {
      float* at = grad + i * kBlock + part * kLanes;
      store(at, where_set(mask[i], part, load(at)));
    }
  }
}

void pool_row(PoolKind kind, const float* in, int w, float* out, std::uint16_t* mask) {
  for (int x = 0; x < w / 2; ++x) {
    for (int part = 0; part < kParts; ++part) {
      const float* at = in + 2 * x * kBlock + part * kLanes;
      const float* below = at + std::int64_t{w} * kBlock;
      Window window{load(at), load(at + kBlock), load(below), load(below + kBlock)};
      VecF pooled;
      if (kind == PoolKind::kMax) {
        const VecF magnitudes =
            larger(larger(magnitude(window.v00), magnitude(window.v01)), larger(magnitude(window.v10), magnitude(window.v11)));
        window = with_ties(window, broadcast(kTie * largest_lane(magnitudes)));
        pooled = pool_max(window);
        if (mask != nullptr) record_max(window, pooled, kPartBits, mask + 2 * x, w, part);
      } else {
        pooled = pool_average(window);
      }
      store(out + x * kBlock + part * kLanes, pooled);
    }
  }
}

void pool_gradient_row(PoolKind kind, const float* grad_out, const std::uint16_t* mask, int w, float* grad_in) {
  for (int row = 0; row < 2; ++row) {
    float* to = grad_in + row * std::int64_t{w} * kBlock;
    for (int x = 0; x < w; ++x) {
      for (int part = 0; part < kParts; ++part) {
        VecF v{};
        if (x / 2 < w / 2) {
          v = load(grad_out + x / 2 * kBlock + part * kLanes);
          v = kind == PoolKind::kMax ? where_set(mask[row * std::int64_t{w} + x], part, v) : 0.25f * v;
        }
        store(to + x * kBlock + part * kLanes, v);
      }
    }
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
