// Compact vectors: rounding to 8 bits a number, dot products and linear combinations of what was rounded.
//
// Layout: of each run of Backend::kCompactRun numbers what a digit is worth; from the next 64 bytes on the digits, a signed byte each,
// and zeros to fill the last run. A thread takes eight.
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
constexpr float kDigits = Backend::kCompactDigits;
constexpr float kLeast = Backend::kCompactLeast;
// Numbers of a thread.
constexpr int kNumbers = 8;
constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

__host__ __device__ inline std::int64_t run_count(std::int64_t size) { return (size + kRun - 1) / kRun; }
__host__ __device__ inline std::int64_t unit_bytes(std::int64_t size) { return (run_count(size) * 4 + 63) / 64 * 64; }

struct EightFloats {
  float4 at[2];
};
struct alignas(8) EightDigits {
  char4 at[2];
};

__device__ inline EightFloats load_eight(const float* v, std::int64_t at, std::int64_t size) {
  return {{load_four(v, at, size), load_four(v, at + 4, size)}};
}

// --- compress -------------------------------------------------------------------------------------------------------------------------

constexpr int kRunThreads = kRun / kNumbers;

__device__ inline char4 bytes_of(float4 digits) {
  return {static_cast<signed char>(digits.x), static_cast<signed char>(digits.y), static_cast<signed char>(digits.z),
          static_cast<signed char>(digits.w)};
}

__global__ void __launch_bounds__(kReductionThreads) compress_runs(float* v, std::int64_t size, float* units, EightDigits* digits) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kReductionThreads * kNumbers;
  const std::int64_t padded = run_count(size) * kRun;
  // All threads of a block go round equally often, past the end if need be: they meet in exchanges.
  for (std::int64_t begin = std::int64_t{blockIdx.x} * kReductionThreads * kNumbers; begin < size; begin += stride) {
    const std::int64_t at = begin + threadIdx.x * kNumbers;
    EightFloats x = load_eight(v, at, size);
    float largest = 0;
    for (const float4& four : x.at) {
      for (float number : {four.x, four.y, four.z, four.w}) largest = Larger{}(largest, fabsf(number));
    }
    for (int distance = kRunThreads / 2; distance > 0; distance /= 2) {
      largest = Larger{}(largest, __shfl_xor_sync(kWholeWarp, largest, distance));
    }
    const bool finite = largest <= kLargestFloat;
    const bool nothing = !(finite && largest >= kLeast);
    const float unit = !finite ? kNan : nothing ? 0.0f : largest / kDigits;
    const float scale = nothing ? 0.0f : kDigits / largest;
    const auto rounded = [&](float number) { return nothing ? 0.0f : rintf(number * scale); };
    for (float4& four : x.at) four = {rounded(four.x), rounded(four.y), rounded(four.z), rounded(four.w)};
    for (int k = 0; k < 2; ++k) {
      const float4 four = x.at[k];
      store_four(v, at + 4 * k, size, {four.x * unit, four.y * unit, four.z * unit, four.w * unit});
    }
    if (at < padded) {
      digits[at / kNumbers] = {{bytes_of(x.at[0]), bytes_of(x.at[1])}};
      if (at % kRun == 0) units[at / kRun] = unit;
    }
  }
}

// --- reading --------------------------------------------------------------------------------------------------------------------------

// Eight digits, of one run, and its unit.
struct Digits {
  EightDigits eight;
  float unit;
};

// at: a multiple of kNumbers below the padded size.
__device__ inline Digits read_digits(const void* data, std::int64_t at, std::int64_t digits_from) {
  const char* bytes = static_cast<const char*>(data);
  return {reinterpret_cast<const EightDigits*>(bytes + digits_from)[at / kNumbers], reinterpret_cast<const float*>(bytes)[at / kRun]};
}

// sums += factor * digits.
__device__ inline void add_digits(float factor, const EightDigits& digits, EightFloats& sums) {
  for (int k = 0; k < 2; ++k) {
    sums.at[k].x += factor * static_cast<float>(digits.at[k].x);
    sums.at[k].y += factor * static_cast<float>(digits.at[k].y);
    sums.at[k].z += factor * static_cast<float>(digits.at[k].z);
    sums.at[k].w += factor * static_cast<float>(digits.at[k].w);
  }
}

// --- dots -----------------------------------------------------------------------------------------------------------------------------

// The products of a warp's 256 elements are summed in float32.
class CompactForm {
 public:
  static constexpr int kElements = kNumbers;
  using Few = EightFloats;
  using Raw = Digits;
  using Sum = float;

  __device__ CompactForm(std::int64_t at, std::int64_t size) : at_(at), size_(size), digits_from_(unit_bytes(size)) {}
  __device__ Few few(const float* v) const { return load_eight(v, at_, size_); }
  __device__ bool whole() const { return at_ < run_count(size_) * kRun; }
  __device__ Raw read_whole(const void* data) const { return read_digits(data, at_, digits_from_); }
  __device__ Raw read_part(const void*) const { return {}; }
  __device__ static Sum dot(const Raw& a, const Few& b) {
    float sum = 0;
    for (int k = 0; k < 2; ++k) {
      sum += static_cast<float>(a.eight.at[k].x) * b.at[k].x + static_cast<float>(a.eight.at[k].y) * b.at[k].y +
             static_cast<float>(a.eight.at[k].z) * b.at[k].z + static_cast<float>(a.eight.at[k].w) * b.at[k].w;
    }
    return a.unit * sum;
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
  double at[kNumbers];
};

__device__ inline void add(double factor, const EightFloats& x, EightSums& sums) {
  for (int k = 0; k < 2; ++k) {
    sums.at[4 * k] += factor * x.at[k].x;
    sums.at[4 * k + 1] += factor * x.at[k].y;
    sums.at[4 * k + 2] += factor * x.at[k].z;
    sums.at[4 * k + 3] += factor * x.at[k].w;
  }
}

__global__ void __launch_bounds__(kCombineThreads)
    combine_compact(const CompactTerms terms, double scale, const float* v, std::int64_t size, float* out) {
  const std::int64_t digits_from = unit_bytes(size);
  const std::int64_t stride = std::int64_t{gridDim.x} * kCombineThreads * kNumbers;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kCombineThreads + threadIdx.x) * kNumbers; at < run_count(size) * kRun; at += stride) {
    EightSums sums{};
    add(scale, load_eight(v, at, size), sums);
    int i = 0;
    for (; i + kTermsTogether <= terms.count; i += kTermsTogether) {
      Digits digits[kTermsTogether];
      for (int k = 0; k < kTermsTogether; ++k) digits[k] = read_digits(terms.from[i + k], at, digits_from);
      EightFloats part{};
      for (int k = 0; k < kTermsTogether; ++k) {
        add_digits(static_cast<float>(terms.coefficients[i + k] * digits[k].unit), digits[k].eight, part);
      }
      add(1, part, sums);
    }
    EightFloats part{};
    for (; i < terms.count; ++i) {
      const Digits digits = read_digits(terms.from[i], at, digits_from);
      add_digits(static_cast<float>(terms.coefficients[i] * digits.unit), digits.eight, part);
    }
    add(1, part, sums);
    for (int k = 0; k < 2; ++k) {
      const double* four = sums.at + 4 * k;
      store_four(out, at + 4 * k, size,
                 {static_cast<float>(four[0]), static_cast<float>(four[1]), static_cast<float>(four[2]), static_cast<float>(four[3])});
    }
  }
}

}  // namespace

std::int64_t compact_bytes(std::int64_t size) { return unit_bytes(size) + run_count(size) * kRun; }

void compress(Vector v, CompactVector to, cudaStream_t stream) {
  if (v.size == 0) return;
  EightDigits* digits = reinterpret_cast<EightDigits*>(static_cast<char*>(to.data) + unit_bytes(v.size));
  launch("starting compress", compress_runs, dim3(blocks_for(v.size, kReductionThreads * kNumbers)), dim3(kReductionThreads), stream,
         floats(v), v.size, static_cast<float*>(to.data), digits);
}

void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream) {
  dot_products<CompactForm>(many, few, partials, result, stream);
}

void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out,
             cudaStream_t stream) {
  if (out.size == 0) return;
  CompactTerms batch{};
  const auto start = [&] {
    launch("starting combine", combine_compact, dim3(blocks_for(out.size, kCombineThreads * kNumbers)), dim3(kCombineThreads), stream,
           batch, scale, floats(v), out.size, floats(out));
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
