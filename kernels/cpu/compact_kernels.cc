// Compact vectors: rounding to 16 bits a number, dot products and linear combinations of what was rounded. The latter two read
// a whole history for little arithmetic on each number, so a piece's products are summed in float32, 64 to a lane with AVX-512, before they
// join the double sums.
#include "kernels/cpu/compact_kernels.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

constexpr int kRun = Backend::kCompactRun;
constexpr int kDoubles = kLanes / 2;
// Elements that pass all vectors while `few`, or the sums, stay in L1.
constexpr std::int64_t kPiece = 1024;
// Vectors that share a load of `few`.
constexpr int kManyTogether = 2;
// Terms that share a load and a store of the sums.
constexpr int kTermsTogether = 4;
// A piece is two kilobytes of each vector, too short for the processor to foresee the next vector's: it is fetched into L2 while those some
// vectors before it are read, early enough for memory to answer.
constexpr int kVectorsAhead = 8;
// The largest digit.
constexpr float kDigits = 32767.0f;
// Below, the unit's reciprocal would not be finite.
constexpr float kLeast = 1e-30f;

typedef std::int16_t Digits __attribute__((vector_size(2 * kLanes)));
typedef std::int16_t UnalignedDigits __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));

IMPASTO_INLINE VecF load_digits(const std::int16_t* p) {
#if defined(__AVX512F__)
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
  return __builtin_convertvector(*reinterpret_cast<const UnalignedDigits*>(p), VecF);
#endif
}

IMPASTO_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }
// Of one run: two lines.
IMPASTO_INLINE void prefetch_run(const std::int16_t* p) {
  __builtin_prefetch(p, 0, 2);
  __builtin_prefetch(p + kRun / 2, 0, 2);
}

// One whole run, in place.
void compress_run(float* v, float* unit, std::int16_t* digits) {
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
  *unit = !finite ? __builtin_nanf("") : nothing ? 0.0f : most / kDigits;
  const float scale = nothing ? 0.0f : kDigits / most;
  // Added and taken away, it rounds to the nearest integer.
  constexpr float kRounding = 12582912.0f;
  for (int i = 0; i < kRun; i += kLanes) {
    const VecF x = nothing ? VecF{} : load(v + i) * scale + kRounding - kRounding;
    *reinterpret_cast<UnalignedDigits*>(digits + i) = __builtin_convertvector(x, Digits);
    store(v + i, x * *unit);
  }
}

// Fetches the units, and returns the digits to fetch, while those of vector `at` are read at `piece`; after the last vector come the first
// ones' next piece.
const std::int16_t* fetch_ahead(const CompactVector* many, int count, int at, std::int64_t piece, std::int64_t last) {
  int ahead = at + kVectorsAhead;
  if (ahead >= count) {
    ahead = smaller_of(ahead - count, count - 1);
    piece = smaller_of(piece + kPiece, last - 1);
  }
  const CompactRuns next = runs_of(many[ahead]);
  prefetch(next.units + piece / kRun);
  return next.digits + piece;
}

// One run of kMany vectors with kFew: part[m][j] = the digits of many[m] . few[j], by lane.
template <int kMany, int kFew>
IMPASTO_INLINE void run_dots(const std::int16_t* const (&digits)[kMany], const float* const (&few)[kFew], VecF (&part)[kMany][kFew]) {
#pragma GCC unroll 16
  for (int i = 0; i < kRun; i += kLanes) {
    VecF x[kMany];
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) x[m] = load_digits(digits[m] + i);
#pragma GCC unroll 4
    for (int j = 0; j < kFew; ++j) {
      const VecF y = load(few[j] + i);
#pragma GCC unroll 2
      for (int m = 0; m < kMany; ++m) part[m][j] = i == 0 ? x[m] * y : multiply_add(x[m], y, part[m][j]);
    }
  }
}

// sums (kMany, kFew) += many[m] . few[j] over `runs` runs from run `first` on; few begins there.
template <int kMany, int kFew>
void piece_dots(const CompactRuns* many, const std::int16_t* const* ahead, std::int64_t first, std::int64_t runs, const float* const* few,
                double* sums) {
  VecF sum[kMany][kFew]{};
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int16_t* digits[kMany];
    const float* at[kFew];
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) {
      digits[m] = many[m].digits + (first + run) * kRun;
      prefetch_run(ahead[m] + run * kRun);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kFew; ++j) at[j] = few[j] + run * kRun;
    VecF part[kMany][kFew];
    run_dots<kMany, kFew>(digits, at, part);
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
      const std::int16_t* ahead[kManyTogether];
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
void add_terms(const double* coefficients, const CompactVector* terms, const std::int16_t* const* ahead, std::int64_t piece,
               std::int64_t runs, float* sums) {
  const float* units[kTerms];
  const std::int16_t* digits[kTerms];
  for (int k = 0; k < kTerms; ++k) {
    units[k] = runs_of(terms[k]).units + piece / kRun;
    digits[k] = runs_of(terms[k]).digits + piece;
  }
  for (std::int64_t run = 0; run < runs; ++run) {
    VecF factor[kTerms];
#pragma GCC unroll 4
    for (int k = 0; k < kTerms; ++k) {
      factor[k] = broadcast(static_cast<float>(coefficients[k] * units[k][run]));
      prefetch_run(ahead[k] + run * kRun);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRun; i += kLanes) {
      VecF sum = load(sums + run * kRun + i);
#pragma GCC unroll 4
      for (int k = 0; k < kTerms; ++k) sum = multiply_add(factor[k], load_digits(digits[k] + run * kRun + i), sum);
      store(sums + run * kRun + i, sum);
    }
  }
}

}  // namespace

void compress(float* v, CompactVector to, std::int64_t first, std::int64_t last) {
  const CompactRuns runs = runs_of(to);
  for (; first + kRun <= last; first += kRun) compress_run(v + first, runs.units + first / kRun, runs.digits + first);
  if (first == last) return;
  float rest[kRun]{};
  for (std::int64_t i = first; i < last; ++i) rest[i - first] = v[i];
  compress_run(rest, runs.units + first / kRun, runs.digits + first);
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
    const std::int16_t* ahead[kTermsTogether];
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
