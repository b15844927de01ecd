#include "kernels/cuda/vectors.h"

#include <cmath>
#include <cstdint>

#include "kernels/cuda/dots.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.cuh"

namespace impasto::cuda {
namespace {

class FloatForm {
 public:
  static constexpr int kElements = 4;
  struct Few {
    double x, y, z, w;
  };
  using Raw = float4;
  using Sum = double;

  __device__ FloatForm(std::int64_t at, std::int64_t size) : at_(at), size_(size) {}
  __device__ Few few(const float* v) const {
    const float4 x = load_four(v, at_, size_);
    return {x.x, x.y, x.z, x.w};
  }
  __device__ bool whole() const { return at_ + kElements <= size_; }
  __device__ Raw read_whole(const void* data) const { return *reinterpret_cast<const float4*>(static_cast<const float*>(data) + at_); }
  __device__ Raw read_part(const void* data) const { return load_four(static_cast<const float*>(data), at_, size_); }
  __device__ static Sum dot(Raw a, const Few& b) { return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w; }

 private:
  std::int64_t at_;
  std::int64_t size_;
};

// --- combine --------------------------------------------------------------------------------------------------------------------------

// Small blocks, so that short vectors still reach all multiprocessors.
constexpr int kCombineThreads = 128;
// Terms of one launch: they travel with it.
constexpr int kTerms = 256;
// Terms read before the first of them is needed.
constexpr int kTermsTogether = 8;

struct Terms {
  const float* from[kTerms];
  double coefficients[kTerms];
  int count;
};

struct FourSums {
  double x, y, z, w;
};

__device__ inline void add_term(double coefficient, float4 term, FourSums& sums) {
  sums.x += coefficient * term.x;
  sums.y += coefficient * term.y;
  sums.z += coefficient * term.z;
  sums.w += coefficient * term.w;
}

__device__ inline float4 as_floats(const FourSums& sums) {
  return {static_cast<float>(sums.x), static_cast<float>(sums.y), static_cast<float>(sums.z), static_cast<float>(sums.w)};
}

__global__ void __launch_bounds__(kCombineThreads) combine_terms(const Terms terms, std::int64_t size, float* out) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kCombineThreads * 4;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kCombineThreads + threadIdx.x) * 4; at < size; at += stride) {
    FourSums sums{};
    int i = 0;
    if (at + 4 <= size) {
      for (; i + kTermsTogether <= terms.count; i += kTermsTogether) {
        float4 x[kTermsTogether];
        for (int k = 0; k < kTermsTogether; ++k) x[k] = *reinterpret_cast<const float4*>(terms.from[i + k] + at);
        for (int k = 0; k < kTermsTogether; ++k) add_term(terms.coefficients[i + k], x[k], sums);
      }
    }
    for (; i < terms.count; ++i) add_term(terms.coefficients[i], load_four(terms.from[i], at, size), sums);
    store_four(out, at, size, as_floats(sums));
  }
}

// --- take_step ------------------------------------------------------------------------------------------------------------------------

__global__ void __launch_bounds__(kCombineThreads)
    step_along(const float* direction, std::int64_t size, const double* squared, double length, double longest, float* x, double* taken) {
  const double most = longest / sqrt(*squared / static_cast<double>(size));
  const double t = most < length ? most : length;
  if (blockIdx.x == 0 && threadIdx.x == 0) *taken = t;
  const std::int64_t stride = std::int64_t{gridDim.x} * kCombineThreads * 4;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kCombineThreads + threadIdx.x) * 4; at < size; at += stride) {
    FourSums sums{};
    add_term(1, load_four(x, at, size), sums);
    add_term(t, load_four(direction, at, size), sums);
    store_four(x, at, size, as_floats(sums));
  }
}

// --- norms ----------------------------------------------------------------------------------------------------------------------------

constexpr std::int64_t kNormPieces = 1024;

// partials (gridDim.x, 2): sum and maximum of a piece's magnitudes.
__global__ void __launch_bounds__(kReductionThreads) norm_pieces(const float* v, std::int64_t size, double* partials) {
  double sum = 0;
  double most = 0;
  const std::int64_t stride = std::int64_t{gridDim.x} * kReductionThreads * 4;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kReductionThreads + threadIdx.x) * 4; at < size; at += stride) {
    const float4 x = load_four(v, at, size);
    for (double magnitude : {fabs(double{x.x}), fabs(double{x.y}), fabs(double{x.z}), fabs(double{x.w})}) {
      sum += magnitude;
      most = Larger{}(most, magnitude);
    }
  }
  sum = block_sum(sum);
  most = block_max(most);
  if (threadIdx.x == 0) {
    partials[2 * blockIdx.x] = sum;
    partials[2 * blockIdx.x + 1] = most;
  }
}

__global__ void __launch_bounds__(kReductionThreads) join_norms(const double* partials, int pieces, double* result) {
  double sum = 0;
  double most = 0;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += kReductionThreads) {
    sum += partials[2 * i];
    most = Larger{}(most, partials[2 * i + 1]);
  }
  sum = block_sum(sum);
  most = block_max(most);
  if (threadIdx.x == 0) {
    result[0] = sum;
    result[1] = most;
  }
}

// --- Adam -----------------------------------------------------------------------------------------------------------------------------

struct AdamFactors {
  double beta1;
  double beta2;
  // step_size / (1 - beta1^t) and 1 / (1 - beta2^t).
  double step;
  double unbias2;
  double epsilon;
};

__device__ inline void adam_step(const AdamFactors& factors, float grad, float& m, float& v, float& x) {
  const double slope = grad;
  const double mean = factors.beta1 * m + (1 - factors.beta1) * slope;
  const double square = factors.beta2 * v + (1 - factors.beta2) * slope * slope;
  m = static_cast<float>(mean);
  v = static_cast<float>(square);
  x = static_cast<float>(x - factors.step * mean / (sqrt(square * factors.unbias2) + factors.epsilon));
}

__global__ void __launch_bounds__(kReductionThreads)
    adam_steps(const float* grad, std::int64_t size, const AdamFactors factors, float* m, float* v, float* x) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kReductionThreads * 4;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kReductionThreads + threadIdx.x) * 4; at < size; at += stride) {
    const float4 slope = load_four(grad, at, size);
    float4 mean = load_four(m, at, size);
    float4 square = load_four(v, at, size);
    float4 place = load_four(x, at, size);
    adam_step(factors, slope.x, mean.x, square.x, place.x);
    adam_step(factors, slope.y, mean.y, square.y, place.y);
    adam_step(factors, slope.z, mean.z, square.z, place.z);
    adam_step(factors, slope.w, mean.w, square.w, place.w);
    store_four(m, at, size, mean);
    store_four(v, at, size, square);
    store_four(x, at, size, place);
  }
}

}  // namespace

void dots(std::span<const Vector> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream) {
  dot_products<FloatForm>(many, few, partials, result, stream);
}

void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out, cudaStream_t stream) {
  if (out.size == 0) return;
  Terms batch{};
  const auto add = [&](double coefficient, const float* from) {
    batch.coefficients[batch.count] = coefficient;
    batch.from[batch.count] = from;
    ++batch.count;
  };
  const auto start = [&] {
    launch("starting combine", combine_terms, dim3(blocks_for(out.size, kCombineThreads * 4)), dim3(kCombineThreads), stream, batch,
           out.size, floats(out));
    batch.count = 0;
  };
  // Of more terms than a launch takes, those that are `out` itself come first, as one: the first launch overwrites it.
  const bool several = std::ssize(terms) > kTerms;
  if (several) {
    double own = 0;
    bool found = false;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (terms[i].data != out.data) continue;
      own += coefficients[i];
      found = true;
    }
    if (found) add(own, floats(out));
  }
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (several && terms[i].data == out.data) continue;
    if (batch.count == kTerms) {
      start();
      add(1, floats(out));
    }
    add(coefficients[i], floats(terms[i]));
  }
  start();
}

void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken, cudaStream_t stream) {
  launch("starting take_step", step_along, dim3(blocks_for(x.size, kCombineThreads * 4)), dim3(kCombineThreads), stream, floats(direction),
         x.size, squared, length, longest, floats(x), taken);
}

void norms(Vector v, double* partials, double* result, cudaStream_t stream) {
  const unsigned pieces = blocks_for(v.size, kReductionThreads * 4, kNormPieces);
  launch("starting norms", norm_pieces, dim3(pieces), dim3(kReductionThreads), stream, floats(v), v.size, partials);
  launch("joining norms", join_norms, dim3(1), dim3(kReductionThreads), stream, partials, static_cast<int>(pieces), result);
}

void adam(Vector grad, const Backend::AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x, cudaStream_t stream) {
  if (grad.size == 0) return;
  const double steps = static_cast<double>(t);
  const AdamFactors factors{parameters.beta1, parameters.beta2, parameters.step_size / (1 - std::pow(parameters.beta1, steps)),
                            1 / (1 - std::pow(parameters.beta2, steps)), parameters.epsilon};
  launch("starting adam", adam_steps, dim3(blocks_for(grad.size, kReductionThreads * 4)), dim3(kReductionThreads), stream, floats(grad),
         grad.size, factors, floats(m), floats(v), floats(x));
}

}  // namespace impasto::cuda
