// Compact vectors: rounding to 8 bits a number, dot products and linear combinations of what was rounded. The latter two read
// a whole history for little arithmetic on each number, so a piece's products are summed in float32, 64 to a lane with AVX-512, before they
// join the double sums.
#include "kernels/cpu/compact_kernels.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

constexpr int kRun = Backend::kCompactRun;
constexpr int kDoubles = kLanes / 2;
// Elements that pass all vectors while `few`, or the sums, stay in L1.
constexpr std::int64_t kPiece = 16 * kRun;
// Vectors that share a load of `few`.
constexpr int kManyTogether = 2;
// Terms that share a load and a store of the sums.
constexpr int kTermsTogether = 4;
// A piece is two kilobytes of each vector, too short for the processor to foresee the next vector's: it is fetched into L2 while those some
// vectors before it are read, early enough for memory to answer.
constexpr int kVectorsAhead = 8;
constexpr float kDigits = Backend::kCompactDigits;
constexpr float kLeast = Backend::kCompactLeast;
// A block: numbers whose digits share words, kBlockWords apart.
constexpr int kWordDigits = kCompactWordDigits;
constexpr int kBlockWords = 16;
constexpr int kBlock = kWordDigits * kBlockWords;
// Digits are read with the bits below them cleared, not shifted down: a digit then counts in 1 << kLowBits.
constexpr int kDigitBits = 8;
constexpr int kLowBits = 32 - kDigitBits;

IMPASTO_INLINE VecF as_numbers(VecI words) { return __builtin_convertvector(words, VecF); }

// The digits of kLanes words, times 1 << kLowBits.
IMPASTO_INLINE void load_digits(const std::int32_t* words, VecF (&x)[kWordDigits]) {
  const VecI word = *reinterpret_cast<const UnalignedVecI*>(words);
  constexpr std::int32_t kUpper = -(1 << kLowBits);
  x[0] = as_numbers(word & kUpper);
  x[1] = as_numbers((word << kDigitBits) & kUpper);
  x[2] = as_numbers((word << (2 * kDigitBits)) & kUpper);
  x[3] = as_numbers(word << (3 * kDigitBits));
}

IMPASTO_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }
// Of one run: two lines.
IMPASTO_INLINE void prefetch_run(const std::int32_t* words) {
  prefetch(words);
  prefetch(words + kCompactRunWords / 2);
}

// One whole run, in place.
void compress_run(float* v, float* low_bit_unit, std::int32_t* words) {
  VecF largest{};
  VecF poison{};
  for (int i = 0; i < kRun; i += kLanes) {
    const VecF x = load(v + i);
    const VecF magnitude = x < 0 ? -x : x;
    largest = magnitude > largest ? magnitude : largest;
    // 0, but for infinity and NaN.
    poison += x * 0.0f;
  }
  const float most = largest_lane(largest);
  const bool finite = not_less_bits(poison, VecF{}) == kPartBits;
  const bool nothing = !(finite && most >= kLeast);
  const float unit = !finite ? __builtin_nanf("") : nothing ? 0.0f : most / kDigits;
  *low_bit_unit = unit / (1 << kLowBits);
  const float scale = nothing ? 0.0f : kDigits / most;
  // Added and taken away, it rounds to the nearest integer.
  constexpr float kRounding = 12582912.0f;
  for (int block = 0; block < kRun; block += kBlock) {
    for (int i = 0; i < kBlockWords; i += kLanes) {
      VecI word{};
      for (int k = 0; k < kWordDigits; ++k) {
        float* at = v + block + k * kBlockWords + i;
        const VecF x = nothing ? VecF{} : load(at) * scale + kRounding - kRounding;
        word = word << kDigitBits | (__builtin_convertvector(x, VecI) & ((1 << kDigitBits) - 1));
        store(at, x * unit);
      }
      *reinterpret_cast<UnalignedVecI*>(words + block / kWordDigits + i) = word;
    }
  }
}

// Fetches the units, and returns the words to fetch, while those of vector `at` are read at `piece`; after the last vector come the first
// ones' next piece.
const std::int32_t* fetch_ahead(const CompactVector* many, int count, int at, std::int64_t piece, std::int64_t last) {
  int ahead = at + kVectorsAhead;
  if (ahead >= count) {
    ahead = smaller_of(ahead - count, count - 1);
    piece = smaller_of(piece + kPiece, last - 1);
  }
  const CompactRuns next = runs_of(many[ahead]);
  prefetch(next.units + piece / kRun);
  return next.words + piece / kWordDigits;
}

// One run of kMany vectors with kFew: part[m][j] = the digits of many[m], times 1 << kLowBits, . few[j], by lane.
template <int kMany, int kFew>
IMPASTO_INLINE void run_dots(const std::int32_t* const (&words)[kMany], const float* const (&few)[kFew], VecF (&part)[kMany][kFew]) {
#pragma GCC unroll 8
  for (int i = 0; i < kCompactRunWords; i += kLanes) {
    const int first = i / kBlockWords * kBlock + i % kBlockWords;
    VecF x[kMany][kWordDigits];
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) load_digits(words[m] + i, x[m]);
#pragma GCC unroll 4
    for (int k = 0; k < kWordDigits; ++k) {
#pragma GCC unroll 4
      for (int j = 0; j < kFew; ++j) {
        const VecF y = load(few[j] + first + k * kBlockWords);
#pragma GCC unroll 2
        for (int m = 0; m < kMany; ++m) part[m][j] = i + k == 0 ? x[m][k] * y : multiply_add(x[m][k], y, part[m][j]);
      }
    }
  }
}

// sums (kMany, kFew) += many[m] . few[j] over `runs` runs from run `first` on; few begins there.
template <int kMany, int kFew>
void piece_dots(const CompactRuns* many, const std::int32_t* const* ahead, std::int64_t first, std::int64_t runs, const float* const* few,
                double* sums) {
  VecF sum[kMany][kFew]{};
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int32_t* words[kMany];
    const float* at[kFew];
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) {
      words[m] = many[m].words + (first + run) * kCompactRunWords;
      prefetch_run(ahead[m] + run * kCompactRunWords);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kFew; ++j) at[j] = few[j] + run * kRun;
    VecF part[kMany][kFew];
    run_dots<kMany, kFew>(words, at, part);
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) {
      const VecF unit = broadcast(many[m].units[first + run]);
#pragma GCC unroll 4
      for (int j = 0; j < kFew; ++j) sum[m][j] = multiply_add(unit, part[m][j], sum[m][j]);
    }
  }
  for (int m = 0; m < kMany; ++m) {
    for (int j = 0; j < kFew; ++j) {
      alignas(64) float lanes[kLanes];
      store(lanes, sum[m][j]);
      const VecD wide = load_wide(lanes) + load_wide(lanes + kDoubles);
      double even = 0;
      double odd = 0;
      for (int lane = 0; lane < kDoubles; lane += 2) {
        even += wide[lane];
        odd += wide[lane + 1];
      }
      sums[m * kFew + j] += even + odd;
    }
  }
}

template <int kFew>
void dots_of(const CompactVector* many, int many_count, const float* const* few, std::int64_t first, std::int64_t last, double* sums) {
  // The last run of a vector may be short: its digits are padded with zeros, and so are these.
  alignas(64) float padded[kFew][kPiece];
  for (std::int64_t piece = first; piece < last; piece += kPiece) {
    const std::int64_t size = smaller_of(kPiece, last - piece);
    const std::int64_t runs = (size + kRun - 1) / kRun;
    const float* at[kFew];
    for (int j = 0; j < kFew; ++j) {
      at[j] = few[j] + piece;
      if (size % kRun == 0) continue;
      for (std::int64_t i = 0; i < runs * kRun; ++i) padded[j][i] = i < size ? at[j][i] : 0.0f;
      at[j] = padded[j];
    }
    for (int m = 0; m < many_count; m += kManyTogether) {
      CompactRuns these[kManyTogether];
      const std::int32_t* ahead[kManyTogether];
      for (int k = 0; k < kManyTogether; ++k) {
        these[k] = runs_of(many[smaller_of(m + k, many_count - 1)]);
        ahead[k] = fetch_ahead(many, many_count, m + k, piece, last);
      }
      if (m + kManyTogether <= many_count) {
        piece_dots<kManyTogether, kFew>(these, ahead, piece / kRun, runs, at, sums + m * kFew);
      } else {
        piece_dots<1, kFew>(these, ahead, piece / kRun, runs, at, sums + m * kFew);
      }
    }
  }
}

// sums += coefficients[0] terms[0] + ..., from element `piece` on.
template <int kTerms>
void add_terms(const double* coefficients, const CompactVector* terms, const std::int32_t* const* ahead, std::int64_t piece,
               std::int64_t runs, float* sums) {
  const float* units[kTerms];
  const std::int32_t* words[kTerms];
  for (int k = 0; k < kTerms; ++k) {
    units[k] = runs_of(terms[k]).units + piece / kRun;
    words[k] = runs_of(terms[k]).words + piece / kWordDigits;
  }
  for (std::int64_t run = 0; run < runs; ++run) {
    VecF factor[kTerms];
#pragma GCC unroll 4
    for (int k = 0; k < kTerms; ++k) {
      factor[k] = broadcast(static_cast<float>(coefficients[k] * units[k][run]));
      prefetch_run(ahead[k] + run * kCompactRunWords);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kCompactRunWords; i += kLanes) {
      float* at = sums + run * kRun + i / kBlockWords * kBlock + i % kBlockWords;
      VecF sum[kWordDigits];
#pragma GCC unroll 4
      for (int d = 0; d < kWordDigits; ++d) sum[d] = load(at + d * kBlockWords);
#pragma GCC unroll 4
      for (int k = 0; k < kTerms; ++k) {
        VecF x[kWordDigits];
        load_digits(words[k] + run * kCompactRunWords + i, x);
#pragma GCC unroll 4
        for (int d = 0; d < kWordDigits; ++d) sum[d] = multiply_add(factor[k], x[d], sum[d]);
      }
#pragma GCC unroll 4
      for (int d = 0; d < kWordDigits; ++d) store(at + d * kBlockWords, sum[d]);
    }
  }
}

}  // namespace

void compress(float* v, CompactVector to, std::int64_t first, std::int64_t last) {
  const CompactRuns runs = runs_of(to);
  for (; first + kRun <= last; first += kRun) compress_run(v + first, runs.units + first / kRun, runs.words + first / kWordDigits);
  if (first == last) return;
  float rest[kRun]{};
  for (std::int64_t i = first; i < last; ++i) rest[i - first] = v[i];
  compress_run(rest, runs.units + first / kRun, runs.words + first / kWordDigits);
  for (std::int64_t i = first; i < last; ++i) v[i] = rest[i - first];
}

void compact_dots(const CompactVector* many, int many_count, const float* const* few, int few_count, std::int64_t first, std::int64_t last,
                  double* sums) {
  for (int i = 0; i < many_count * few_count; ++i) sums[i] = 0;
  switch (few_count) {
    case 1:
      return dots_of<1>(many, many_count, few, first, last, sums);
    case 2:
      return dots_of<2>(many, many_count, few, first, last, sums);
    case 3:
      return dots_of<3>(many, many_count, few, first, last, sums);
    default:
      return dots_of<4>(many, many_count, few, first, last, sums);
  }
}

void compact_combine(const double* coefficients, const CompactVector* terms, int count, double scale, const float* v, std::int64_t first,
                     std::int64_t last, float* out) {
  alignas(64) float sums[kPiece];
  for (std::int64_t piece = first; piece < last; piece += kPiece) {
    const std::int64_t size = smaller_of(kPiece, last - piece);
    const std::int64_t runs = (size + kRun - 1) / kRun;
    for (std::int64_t i = 0; i < runs * kRun; ++i) sums[i] = i < size ? static_cast<float>(scale * v[piece + i]) : 0.0f;
    int term = 0;
    const std::int32_t* ahead[kTermsTogether];
    for (; term + kTermsTogether <= count; term += kTermsTogether) {
      for (int k = 0; k < kTermsTogether; ++k) ahead[k] = fetch_ahead(terms, count, term + k, piece, last);
      add_terms<kTermsTogether>(coefficients + term, terms + term, ahead, piece, runs, sums);
    }
    for (; term < count; ++term) {
      ahead[0] = fetch_ahead(terms, count, term, piece, last);
      add_terms<1>(coefficients + term, terms + term, ahead, piece, runs, sums);
    }
    for (std::int64_t i = 0; i < size; ++i) out[piece + i] = sums[i];
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
