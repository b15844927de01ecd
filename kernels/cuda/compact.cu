// Compact vectors: rounding to 10 bits a number, dot products and linear combinations of what was rounded.
//
// Layout: of each run of Backend::kCompactRun numbers what bit 22 is worth; from the next 64 bytes on the digits, three in a word, and
// zeros to fill the last run. Of 48 numbers in a row, word i has number i in its bits 22 to 31, number 16 + i in bits 12 to 21, number
// 32 + i in bits 2 to 11, in two's complement; bits 0 and 1 are 0. A thread takes four words, 12 numbers.
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
// Numbers of a thread, and numbers whose digits share words.
constexpr int kNumbers = 12;
constexpr int kBlock = 48;
// Digits are read with the bits below them cleared, not shifted down: a digit then counts in 1 << kLowBits.
constexpr int kDigitBits = 10;
constexpr int kLowBits = 32 - kDigitBits;
constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

__host__ __device__ inline std::int64_t run_count(std::int64_t size) { return (size + kRun - 1) / kRun; }
__host__ __device__ inline std::int64_t unit_bytes(std::int64_t size) { return (run_count(size) * 4 + 63) / 64 * 64; }

// Twelve numbers: in [k] those that are digit k of four words in a row.
struct TwelveFloats {
  float4 at[3];
};

// The first number of the words that the thread at number `at`, a multiple of kNumbers, takes; the others are 16 and 32 on.
__device__ inline std::int64_t first_number(std::int64_t at) { return at / kBlock * kBlock + at % kBlock / kNumbers * 4; }

__device__ inline TwelveFloats load_twelve(const float* v, std::int64_t at, std::int64_t size) {
  const std::int64_t first = first_number(at);
  return {{load_four(v, first, size), load_four(v, first + 16, size), load_four(v, first + 32, size)}};
}

// --- compress -------------------------------------------------------------------------------------------------------------------------

constexpr int kRunThreads = kRun / kNumbers;

__device__ inline int word_of(float first, float second, float third) {
  constexpr unsigned kMask = (1u << kDigitBits) - 1;
  const auto bits = [](float digit, int place) { return (static_cast<unsigned>(static_cast<int>(digit)) & kMask) << place; };
  return static_cast<int>(bits(first, kLowBits) | bits(second, kLowBits - kDigitBits) | bits(third, kLowBits - 2 * kDigitBits));
}

__global__ void __launch_bounds__(kReductionThreads) compress_runs(float* v, std::int64_t size, float* units, int4* words) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kReductionThreads * kNumbers;
  const std::int64_t padded = run_count(size) * kRun;
  // All threads of a block go round equally often, past the end if need be: they meet in exchanges.
  for (std::int64_t begin = std::int64_t{blockIdx.x} * kReductionThreads * kNumbers; begin < size; begin += stride) {
    const std::int64_t at = begin + threadIdx.x * kNumbers;
    TwelveFloats x = load_twelve(v, at, size);
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
    const std::int64_t first = first_number(at);
    for (int k = 0; k < 3; ++k) {
      const float4 digits = x.at[k];
      store_four(v, first + 16 * k, size, {digits.x * unit, digits.y * unit, digits.z * unit, digits.w * unit});
    }
    if (at < padded) {
      words[at / kNumbers] = {word_of(x.at[0].x, x.at[1].x, x.at[2].x), word_of(x.at[0].y, x.at[1].y, x.at[2].y),
                              word_of(x.at[0].z, x.at[1].z, x.at[2].z), word_of(x.at[0].w, x.at[1].w, x.at[2].w)};
      if (at % kRun == 0) units[at / kRun] = unit / (1 << kLowBits);
    }
  }
}

// --- reading --------------------------------------------------------------------------------------------------------------------------

// Four words, of one run, and its unit.
struct Digits {
  int4 words;
  float unit;
};

// at: a multiple of kNumbers below the padded size.
__device__ inline Digits read_digits(const void* data, std::int64_t at, std::int64_t words_from) {
  const char* bytes = static_cast<const char*>(data);
  return {reinterpret_cast<const int4*>(bytes + words_from)[at / kNumbers], reinterpret_cast<const float*>(bytes)[at / kRun]};
}

// Digit k of a word, times 1 << kLowBits.
__device__ inline float digit(int word, int k) {
  return static_cast<float>(static_cast<int>((static_cast<unsigned>(word) << (kDigitBits * k)) & ~((1u << kLowBits) - 1)));
}

// sums += factor * digits.
__device__ inline void add_digits(float factor, int4 words, TwelveFloats& sums) {
  for (int k = 0; k < 3; ++k) {
    sums.at[k].x += factor * digit(words.x, k);
    sums.at[k].y += factor * digit(words.y, k);
    sums.at[k].z += factor * digit(words.z, k);
    sums.at[k].w += factor * digit(words.w, k);
  }
}

// --- dots -----------------------------------------------------------------------------------------------------------------------------

// The products of a warp's 384 elements are summed in float32.
class CompactForm {
 public:
  static constexpr int kElements = kNumbers;
  using Few = TwelveFloats;
  using Raw = Digits;
  using Sum = float;

  __device__ CompactForm(std::int64_t at, std::int64_t size) : at_(at), size_(size), words_from_(unit_bytes(size)) {}
  __device__ Few few(const float* v) const { return load_twelve(v, at_, size_); }
  __device__ bool whole() const { return at_ < run_count(size_) * kRun; }
  __device__ Raw read_whole(const void* data) const { return read_digits(data, at_, words_from_); }
  __device__ Raw read_part(const void*) const { return {}; }
  __device__ static Sum dot(const Raw& a, const Few& b) {
    float sum = 0;
    for (int k = 0; k < 3; ++k) {
      sum += digit(a.words.x, k) * b.at[k].x + digit(a.words.y, k) * b.at[k].y + digit(a.words.z, k) * b.at[k].z +
             digit(a.words.w, k) * b.at[k].w;
    }
    return a.unit * sum;
  }

 private:
  std::int64_t at_;
  std::int64_t size_;
  std::int64_t words_from_;
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

struct TwelveSums {
  double at[kNumbers];
};

__device__ inline void add(double factor, const TwelveFloats& x, TwelveSums& sums) {
  for (int k = 0; k < 3; ++k) {
    sums.at[4 * k] += factor * x.at[k].x;
    sums.at[4 * k + 1] += factor * x.at[k].y;
    sums.at[4 * k + 2] += factor * x.at[k].z;
    sums.at[4 * k + 3] += factor * x.at[k].w;
  }
}

__global__ void __launch_bounds__(kCombineThreads)
    combine_compact(const CompactTerms terms, double scale, const float* v, std::int64_t size, float* out) {
  const std::int64_t words_from = unit_bytes(size);
  const std::int64_t stride = std::int64_t{gridDim.x} * kCombineThreads * kNumbers;
  for (std::int64_t at = (std::int64_t{blockIdx.x} * kCombineThreads + threadIdx.x) * kNumbers; at < run_count(size) * kRun; at += stride) {
    TwelveSums sums{};
    add(scale, load_twelve(v, at, size), sums);
    int i = 0;
    for (; i + kTermsTogether <= terms.count; i += kTermsTogether) {
      Digits digits[kTermsTogether];
      for (int k = 0; k < kTermsTogether; ++k) digits[k] = read_digits(terms.from[i + k], at, words_from);
      TwelveFloats part{};
      for (int k = 0; k < kTermsTogether; ++k) {
        add_digits(static_cast<float>(terms.coefficients[i + k] * digits[k].unit), digits[k].words, part);
      }
      add(1, part, sums);
    }
    TwelveFloats part{};
    for (; i < terms.count; ++i) {
      const Digits digits = read_digits(terms.from[i], at, words_from);
      add_digits(static_cast<float>(terms.coefficients[i] * digits.unit), digits.words, part);
    }
    add(1, part, sums);
    for (int k = 0; k < 3; ++k) {
      const double* four = sums.at + 4 * k;
      store_four(out, first_number(at) + 16 * k, size,
                 {static_cast<float>(four[0]), static_cast<float>(four[1]), static_cast<float>(four[2]), static_cast<float>(four[3])});
    }
  }
}

}  // namespace

std::int64_t compact_bytes(std::int64_t size) { return unit_bytes(size) + run_count(size) * kRun / 3 * 4; }

void compress(Vector v, CompactVector to, cudaStream_t stream) {
  if (v.size == 0) return;
  int4* words = reinterpret_cast<int4*>(static_cast<char*>(to.data) + unit_bytes(v.size));
  launch("starting compress", compress_runs, dim3(blocks_for(v.size, kReductionThreads * kNumbers)), dim3(kReductionThreads), stream,
         floats(v), v.size, static_cast<float*>(to.data), words);
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
