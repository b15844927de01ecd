// Compact vectors: rounding to 16 bits a number, dot products and linear combinations of what was rounded.
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/cuda/dots.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vectors.h"

namespace impasto::cuda {
namespace {

constexpr int kRun = Backend::kCompactRun;
// The largest digit.
constexpr float kDigits = 32767.0f;
// Below, the unit's reciprocal would not be finite.
constexpr float kLeast = 1e-30f;
constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

__host__ __device__ inline std::int64_t run_count(std::int64_t size) { return (size + kRun - 1) / kRun; }
__host__ __device__ inline std::int64_t unit_bytes(std::int64_t size) { return (run_count(size) * 4 + 63) / 64 * 64; }

// --- compress -------------------------------------------------------------------------------------------------------------------------

// Threads of a run, four numbers each.
constexpr int kRunThreads = kRun / 4;

__device__ inline unsigned two_digits(float low, float high) {
  return (static_cast<unsigned>(static_cast<int>(low)) & 0xffffu) | static_cast<unsigned>(static_cast<int>(high)) << 16;
}

__global__ void __launch_bounds__(kReductionThreads) compress_runs(float* v, std::int64_t size, float* units, uint2* digits) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kReductionThreads * 4;
  const std::int64_t padded = run_count(size) * kRun;
  // All threads of a block go round equally often, past the end if need be: they meet in exchanges.
  for (std::int64_t first = std::int64_t{blockIdx.x} * kReductionThreads * 4; first < size; first += stride) {
    const std::int64_t at = first + threadIdx.x * 4;
    const float4 x = load_four(v, at, size);
    float largest = 0;
    for (float number : {x.x, x.y, x.z, x.w}) largest = Larger{}(largest, fabsf(number));
    for (int distance = kRunThreads / 2; distance > 0; distance /= 2) {
      largest = Larger{}(largest, __shfl_xor_sync(kWholeWarp, largest, distance));
    }
    const bool finite = largest <= kLargestFloat;
    const bool nothing = !(finite && largest >= kLeast);
    const float unit = !finite ? kNan : nothing ? 0.0f : largest / kDigits;
    const float scale = nothing ? 0.0f : kDigits / largest;
    const auto rounded = [&](float number) { return nothing ? 0.0f : rintf(number * scale); };
    const float4 digit{rounded(x.x), rounded(x.y), rounded(x.z), rounded(x.w)};
    store_four(v, at, size, {digit.x * unit, digit.y * unit, digit.z * unit, digit.w * unit});
    if (at < padded) {
      digits[at / 4] = {two_digits(digit.x, digit.y), two_digits(digit.z, digit.w)};
      if (at % kRun == 0) units[at / kRun] = unit;
    }
  }
}

// --- reading --------------------------------------------------------------------------------------------------------------------------

// Eight digits, of one run, and its unit.
struct Digits {
  int4 pairs;
  float unit;
};

// at: a multiple of 8 below the padded size.
__device__ inline Digits read_digits(const void* data, std::int64_t at, std::int64_t digits_from) {
  const char* bytes = static_cast<const char*>(data);
  return {*reinterpret_cast<const int4*>(bytes + digits_from + 2 * at), reinterpret_cast<const float*>(bytes)[at / kRun]};
}

__device__ inline float low_digit(int pair) { return static_cast<std::int16_t>(pair & 0xffff); }
__device__ inline float high_digit(int pair) { return static_cast<std::int16_t>(pair >> 16); }

struct EightFloats {
  float4 low;
  float4 high;
};

__device__ inline EightFloats load_eight(const float* v, std::int64_t at, std::int64_t size) {
  return {load_four(v, at, size), load_four(v, at + 4, size)};
}

// sums += factor * digits.
__device__ inline void add_digits(float factor, int4 pairs, EightFloats& sums) {
  sums.low.x += factor * low_digit(pairs.x);
  sums.low.y += factor * high_digit(pairs.x);
  sums.low.z += factor * low_digit(pairs.y);
  sums.low.w += factor * high_digit(pairs.y);
  sums.high.x += factor * low_digit(pairs.z);
  sums.high.y += factor * high_digit(pairs.z);
  sums.high.z += factor * low_digit(pairs.w);
  sums.high.w += factor * high_digit(pairs.w);
}

// --- dots -----------------------------------------------------------------------------------------------------------------------------

// The products of a warp's 256 elements are summed in float32.
class CompactForm {
 public:
  static constexpr int kElements = 8;
  using Few = EightFloats;
  using Raw = Digits;
  using Sum = float;

  __device__ CompactForm(std::int64_t at, std::int64_t size) : at_(at), size_(size), digits_from_(unit_bytes(size)) {}
  __device__ Few few(const float* v) const { return load_eight(v, at_, size_); }
  __device__ bool whole() const { return at_ < run_count(size_) * kRun; }
  __device__ Raw read_whole(const void* data) const { return read_digits(data, at_, digits_from_); }
  __device__ Raw read_part(const void*) const { return {}; }
  __device__ static Sum dot(const Raw& a, const Few& b) {
    const float low =
        low_digit(a.pairs.x) * b.low.x + high_digit(a.pairs.x) * b.low.y + low_digit(a.pairs.y) * b.low.z + high_digit(a.pairs.y) * b.low.w;
    const float high = low_digit(a.pairs.z) * b.high.x + high_digit(a.pairs.z) * b.high.y + low_digit(a.pairs.w) * b.high.z +
                       high_digit(a.pairs.w) * b.high.w;
    return a.unit * (low + high);
  }

 private:
  std::int64_t at_;
  std::int64_t size_;
  std::int64_t digits_from_;
};

// --- combine --------------------------------------------------------------------------------------------------------------------------

// Small blocks, so that short vectors still reach all multiprocessors.
constexpr int kCombineThreads = 128;
// Terms of one launch: they travel with it.
constexpr int kTerms = 256;
// Terms read before the first of them is needed, and summed in float32 before they join the double sums.
constexpr int kTermsTogether = 8;

struct CompactTerms {
  const void* from[kTerms];
  double coefficients[kTerms];
  int count;
};

struct EightSums {
  double at[8];
};

__device__ inline void add(const EightFloats& x, EightSums& sums) {
  sums.at[0] += x.low.x;
  sums.at[1] += x.low.y;
  sums.at[2] += x.low.z;
  sums.at[3] += x.low.w;
  sums.at[4] += x.high.x;
  sums.at[5] += x.high.y;
  sums.at[6] += x.high.z;
  sums.at[7] += x.high.w;
}

__global__ void __launch_bounds__(kCombineThreads)
    combine_compact(const CompactTerms terms, double scale, const float* v, std::int64_t size, float* out) {
  const std::int64_t digits_from = unit_bytes(size);
  const std::int64_t stride = std::int64_t{gridDim.x} * kCombineThreads * 8;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kCombineThreads + threadIdx.x) * 8; at < size; at += stride) {
    const EightFloats x = load_eight(v, at, size);
    EightSums sums{{scale * x.low.x, scale * x.low.y, scale * x.low.z, scale * x.low.w, scale * x.high.x, scale * x.high.y,
                    scale * x.high.z, scale * x.high.w}};
    int i = 0;
    for (; i + kTermsTogether <= terms.count; i += kTermsTogether) {
      Digits digits[kTermsTogether];
      for (int k = 0; k < kTermsTogether; ++k) digits[k] = read_digits(terms.from[i + k], at, digits_from);
      EightFloats part{};
      for (int k = 0; k < kTermsTogether; ++k) {
        add_digits(static_cast<float>(terms.coefficients[i + k] * digits[k].unit), digits[k].pairs, part);
      }
      add(part, sums);
    }
    EightFloats part{};
    for (; i < terms.count; ++i) {
      const Digits digits = read_digits(terms.from[i], at, digits_from);
      add_digits(static_cast<float>(terms.coefficients[i] * digits.unit), digits.pairs, part);
    }
    add(part, sums);
    store_four(
        out, at, size,
        {static_cast<float>(sums.at[0]), static_cast<float>(sums.at[1]), static_cast<float>(sums.at[2]), static_cast<float>(sums.at[3])});
    store_four(
        out, at + 4, size,
        {static_cast<float>(sums.at[4]), static_cast<float>(sums.at[5]), static_cast<float>(sums.at[6]), static_cast<float>(sums.at[7])});
  }
}

}  // namespace

std::int64_t compact_bytes(std::int64_t size) { return unit_bytes(size) + run_count(size) * kRun * 2; }

void compress(Vector v, CompactVector to, cudaStream_t stream) {
  if (v.size == 0) return;
  uint2* digits = reinterpret_cast<uint2*>(static_cast<char*>(to.data) + unit_bytes(v.size));
  launch("starting compress", compress_runs, dim3(blocks_for(v.size, kReductionThreads * 4)), dim3(kReductionThreads), stream, floats(v),
         v.size, static_cast<float*>(to.data), digits);
}

void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream) {
  dot_products<CompactForm>(many, few, partials, result, stream);
}

void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out,
             cudaStream_t stream) {
  if (out.size == 0) return;
  CompactTerms batch{};
  const auto start = [&] {
    launch("starting combine", combine_compact, dim3(blocks_for(out.size, kCombineThreads * 8)), dim3(kCombineThreads), stream, batch,
           scale, floats(v), out.size, floats(out));
    batch.count = 0;
  };
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (batch.count == kTerms) {
      start();
      // The next launch goes on from what this one leaves.
      v = out;
      scale = 1;
    }
    batch.coefficients[batch.count] = coefficients[i];
    batch.from[batch.count] = terms[i].data;
    ++batch.count;
  }
  start();
}

}  // namespace impasto::cuda
