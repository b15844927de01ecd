// Dot products, linear combinations, norms, distances, Adam: one pass over memory, accumulated in double.
#include "kernels/cpu/vector_kernels.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

constexpr int kDoubles = kLanes / 2;

double lane_sum(VecD v) {
  double sum = 0;
  for (int i = 0; i < kDoubles; ++i) sum += v[i];
  return sum;
}

// Elements of `few` that stay in L1, as doubles, while all of `many` pass by: 4 x 512 doubles are 16 KiB.
constexpr std::int64_t kDotRun = 512;
// Vectors of `many` that share a load of `few`.
constexpr int kManyTogether = 2;
// Elements of a linear combination under way, in double on the stack.
constexpr std::int64_t kCombineRun = 1024;
// Terms that share a load and a store of them.
constexpr int kTermsTogether = 4;
// Either way a run is at most a page of each vector, too short for the processor to foresee the next: while one vector's run is read, the
// next one's is fetched into L2. 200 vectors of 360,000: dots 46 -> 31 ms, combine 44 -> 30 ms, one thread, 10 GB/s.
void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }

// sums (kMany, kFew) += many[i] . few[j] over `size` elements; few (kFew, kDotRun).
template <int kMany, int kFew>
void dots_run(const float* const* many, const float* const* next, const double* few, std::int64_t size, double* sums) {
  // Two accumulators each: the latency of an addition, not the loads, would set the pace of one.
  VecD even[kMany][kFew]{};
  VecD odd[kMany][kFew]{};
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    VecD a[kMany];
    VecD b[kMany];
#pragma GCC unroll 2
    for (int m = 0; m < kMany; ++m) {
      a[m] = load_wide(many[m] + i);
      b[m] = load_wide(many[m] + i + kDoubles);
      prefetch(next[m] + i);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kFew; ++j) {
      const VecD x = load_double(few + j * kDotRun + i);
      const VecD y = load_double(few + j * kDotRun + i + kDoubles);
#pragma GCC unroll 2
      for (int m = 0; m < kMany; ++m) {
        even[m][j] += a[m] * x;
        odd[m][j] += b[m] * y;
      }
    }
  }
  for (int m = 0; m < kMany; ++m) {
    for (int j = 0; j < kFew; ++j) {
      double sum = lane_sum(even[m][j] + odd[m][j]);
      for (std::int64_t rest = i; rest < size; ++rest) sum += double{many[m][rest]} * few[j * kDotRun + rest];
      sums[m * kFew + j] += sum;
    }
  }
}

template <int kFew>
void dots_of(const float* const* many, int many_count, const float* const* few, std::int64_t first, std::int64_t last, double* sums) {
  alignas(64) double wide[kFew * kDotRun];
  for (std::int64_t run = first; run < last; run += kDotRun) {
    const std::int64_t size = smaller_of(kDotRun, last - run);
    for (int j = 0; j < kFew; ++j) {
      for (std::int64_t i = 0; i < size; ++i) wide[j * kDotRun + i] = double{few[j][run + i]};
    }
    for (int m = 0; m < many_count; m += kManyTogether) {
      const float* at[kManyTogether];
      const float* next[kManyTogether];
      for (int k = 0; k < kManyTogether; ++k) {
        at[k] = many[smaller_of(m + k, many_count - 1)] + run;
        // After the last vectors come the first ones' next run.
        const int following = m + kManyTogether + k;
        next[k] =
            following < many_count ? many[following] + run : many[smaller_of(k, many_count - 1)] + smaller_of(run + kDotRun, last - 1);
      }
      if (m + kManyTogether <= many_count) {
        dots_run<kManyTogether, kFew>(at, next, wide, size, sums + m * kFew);
      } else {
        dots_run<1, kFew>(at, next, wide, size, sums + m * kFew);
      }
    }
  }
}

// sums[i] += coefficients[0] terms[0][i] + coefficients[1] terms[1][i] + ..., in this order.
template <int kTerms>
void add_terms(const double* coefficients, const float* const* terms, const float* const* next, std::int64_t size, double* sums) {
  std::int64_t i = 0;
  for (; i + kDoubles <= size; i += kDoubles) {
    VecD sum = load_double(sums + i);
#pragma GCC unroll 4
    for (int k = 0; k < kTerms; ++k) {
      prefetch(next[k] + i);
      sum += coefficients[k] * load_wide(terms[k] + i);
    }
    store_double(sums + i, sum);
  }
  for (; i < size; ++i) {
    for (int k = 0; k < kTerms; ++k) sums[i] += coefficients[k] * double{terms[k][i]};
  }
}

// out = coefficients[0] terms[0] + ..., few enough to need no sums in memory.
template <int kTerms>
void combine_few(const double* coefficients, const Vector* terms, std::int64_t first, std::int64_t last, float* out) {
  const float* from[kTerms];
  for (int k = 0; k < kTerms; ++k) from[k] = static_cast<const float*>(terms[k].data);
  std::int64_t i = first;
  for (; i + kDoubles <= last; i += kDoubles) {
    VecD sum = coefficients[0] * load_wide(from[0] + i);
#pragma GCC unroll 4
    for (int k = 1; k < kTerms; ++k) sum += coefficients[k] * load_wide(from[k] + i);
    store_narrow(out + i, sum);
  }
  for (; i < last; ++i) {
    double sum = coefficients[0] * double{from[0][i]};
    for (int k = 1; k < kTerms; ++k) sum += coefficients[k] * double{from[k][i]};
    out[i] = static_cast<float>(sum);
  }
}

}  // namespace

void dots(const float* const* many, int many_count, const float* const* few, int few_count, std::int64_t first, std::int64_t last,
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

void combine(const double* coefficients, const Vector* terms, int count, std::int64_t first, std::int64_t last, float* out) {
  switch (count) {
    case 1:
      return combine_few<1>(coefficients, terms, first, last, out);
    case 2:
      return combine_few<2>(coefficients, terms, first, last, out);
    case 3:
      return combine_few<3>(coefficients, terms, first, last, out);
  }
  alignas(64) double sums[kCombineRun];
  for (std::int64_t run = first; run < last; run += kCombineRun) {
    const std::int64_t size = smaller_of(kCombineRun, last - run);
    const auto from = [&](int term) { return static_cast<const float*>(terms[smaller_of(term, count - 1)].data) + run; };
    for (std::int64_t i = 0; i < size; ++i) sums[i] = 0;
    int term = 0;
    for (; term + kTermsTogether <= count; term += kTermsTogether) {
      const float* at[kTermsTogether];
      const float* next[kTermsTogether];
      for (int k = 0; k < kTermsTogether; ++k) {
        at[k] = from(term + k);
        next[k] = from(term + kTermsTogether + k);
      }
      add_terms<kTermsTogether>(coefficients + term, at, next, size, sums);
    }
    for (; term < count; ++term) {
      const float* at[1] = {from(term)};
      const float* next[1] = {from(term + 1)};
      add_terms<1>(coefficients + term, at, next, size, sums);
    }
    for (std::int64_t i = 0; i < size; ++i) out[run + i] = static_cast<float>(sums[i]);
  }
}

void norms(const float* v, std::int64_t size, double* sums) {
  VecD sum{};
  VecD largest{};
  std::int64_t i = 0;
  for (; i + kDoubles <= size; i += kDoubles) {
    const VecD x = load_wide(v + i);
    const VecD magnitude = x < 0 ? -x : x;
    sum += magnitude;
    largest = magnitude > largest ? magnitude : largest;
  }
  double total = lane_sum(sum);
  double most = 0;
  for (int lane = 0; lane < kDoubles; ++lane) most = largest[lane] > most ? largest[lane] : most;
  for (; i < size; ++i) {
    const double magnitude = v[i] < 0 ? -double{v[i]} : double{v[i]};
    total += magnitude;
    most = magnitude > most ? magnitude : most;
  }
  sums[0] = total;
  sums[1] = most;
}

double distance(const float* f, const float* p, std::int64_t size, double scale, float* grad) {
  VecD sum{};
  std::int64_t i = 0;
  for (; i + kDoubles <= size; i += kDoubles) {
    const VecD difference = load_wide(f + i) - load_wide(p + i);
    sum += difference * difference;
    if (grad != nullptr) store_narrow(grad + i, load_wide(grad + i) + scale * difference);
  }
  double total = lane_sum(sum);
  for (; i < size; ++i) {
    const double difference = double{f[i]} - double{p[i]};
    total += difference * difference;
    if (grad != nullptr) grad[i] = static_cast<float>(grad[i] + scale * difference);
  }
  return total;
}

void adam(const float* __restrict grad, std::int64_t size, const Backend::AdamParameters& parameters, double unbias1, double unbias2,
          float* __restrict m, float* __restrict v, float* __restrict x) {
  const double beta1 = parameters.beta1;
  const double beta2 = parameters.beta2;
  const double step = parameters.step_size / unbias1;
  const double epsilon = parameters.epsilon;
  for (std::int64_t i = 0; i < size; ++i) {
    const double slope = grad[i];
    const double mean = beta1 * m[i] + (1 - beta1) * slope;
    const double square = beta2 * v[i] + (1 - beta2) * slope * slope;
    m[i] = static_cast<float>(mean);
    v[i] = static_cast<float>(square);
    x[i] = static_cast<float>(x[i] - step * mean / (__builtin_sqrt(square / unbias2) + epsilon));
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
