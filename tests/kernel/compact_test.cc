// compress, and dots and combine of compact vectors.
#include <algorithm>
#include <cmath>
#include <limits>

#include "impasto/error.h"
#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

constexpr std::int64_t kRun = Backend::kCompactRun;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Around a run, around what kernels take at a time, and long enough for several threads.
const std::vector<std::int64_t> kSizes{1,   7,   9,    15,   16,   63,   65,   127,  128,    129,
                                       255, 256, 1000, 2047, 2048, 2049, 4127, 4129, 65'537, 200'003};

class Compact : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(Compact, kVectors);

// What `compact` stands for.
std::vector<double> expanded(Workbench& bench, CompactVector compact) {
  const Vector out = bench.vector(compact.size);
  const Vector zero = bench.vector(std::vector<double>(static_cast<std::size_t>(compact.size)));
  bench.backend().combine(std::vector{1.0}, std::vector{compact}, 0.0, zero, out);
  return bench.read(out);
}

// The rounded vector, and what its compact form stands for.
Outputs compress(Workbench& bench, std::span<const double> values) {
  const Vector v = bench.vector(values);
  const CompactVector compact = bench.compact_vector(v.size);
  bench.backend().compress(v, compact);
  return {bench.read(v), expanded(bench, compact)};
}

TEST_P(Compact, EachRunIsRoundedByItsLargest) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    std::vector<double> values = normal(1, size);
    // Runs of very different magnitude side by side.
    for (std::int64_t i = 0; i < size; ++i) values[i] = static_cast<float>(values[i] * std::pow(10.0, i / kRun * 5 % 23 - 15));
    const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) { return compress(bench, values); });
    EXPECT_EQ(outputs[0], outputs[1]);
    for (std::int64_t first = 0; first < size; first += kRun) {
      const std::int64_t last = std::min(first + kRun, size);
      double largest = 0;
      for (std::int64_t i = first; i < last; ++i) largest = std::max(largest, std::abs(values[i]));
      const double unit = largest / Backend::kCompactDigits;
      for (std::int64_t i = first; i < last; ++i) {
        const double digits = outputs[0][i] / unit;
        ASSERT_NEAR(outputs[0][i], values[i], 0.505 * unit) << i;
        ASSERT_NEAR(digits, std::nearbyint(digits), 6e-3) << i;
      }
    }
  }
}

// Whole numbers, each run with the largest digit: their own digits. All but those are small, so that float32 holds the sums below.
std::vector<double> whole(std::uint64_t seed, std::int64_t size) {
  std::vector<double> values = integers(seed, size, -99, 99);
  for (std::int64_t i = 0; i < size; i += kRun) values[i] = Backend::kCompactDigits;
  return values;
}

TEST_P(Compact, WholeNumbersStayWhatTheyAre) {
  for (std::int64_t size : kSizes) {
    const std::vector<double> values = whole(2, size);
    const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) { return compress(bench, values); });
    EXPECT_EQ(outputs[0], values) << size;
    EXPECT_EQ(outputs[1], values) << size;
  }
}

struct Compressed {
  std::vector<CompactVector> vectors;
  Outputs values;  // what they stand for
};
Compressed compressed(Workbench& bench, int count, const std::function<std::vector<double>(int)>& values) {
  Compressed result;
  for (int i = 0; i < count; ++i) {
    const Vector v = bench.vector(values(i));
    result.vectors.push_back(bench.compact_vector(v.size));
    bench.backend().compress(v, result.vectors.back());
    result.values.push_back(bench.read(v));
  }
  return result;
}

TEST_P(Compact, DotsOfWholeNumbersAreExact) {
  for (std::int64_t size : kSizes) {
    for (int few : {1, 2, 3, 4}) {
      for (int many : {0, 1, 2, 7, 300}) {
        if (size != 2049 && (size > 5000 ? few != 3 || many != 7 : many > 7)) continue;
        const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size) + " " + std::to_string(many) + "x" + std::to_string(few));
        expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
          const Compressed from = compressed(bench, many, [&](int i) { return whole(static_cast<std::uint64_t>(10 + i), size); });
          std::vector<Vector> with;
          for (int j = 0; j < few; ++j) with.push_back(bench.vector(integers(static_cast<std::uint64_t>(500 + j), size, -9, 9)));
          double* result = bench.results(std::max(many * few, 1));
          bench.backend().dots(from.vectors, with, result);
          return Outputs{bench.read(result, many * few)};
        });
      }
    }
  }
}

TEST_P(Compact, CombineOfWholeNumbersIsExactAlsoInPlace) {
  for (std::int64_t size : kSizes) {
    for (int count : {0, 1, 3, 4, 5, 9, 300}) {
      if (count > 9 && size != 2049) continue;
      for (bool in_place : {false, true}) {
        const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size) + " " + std::to_string(count));
        expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
          const Compressed from = compressed(bench, count, [&](int i) { return whole(static_cast<std::uint64_t>(30 + i), size); });
          const Vector v = bench.vector(integers(31, size, -999, 999));
          const Vector out = in_place ? v : bench.vector(size);
          bench.backend().combine(integers(32, count, -9, 9), from.vectors, -3, v, out);
          return Outputs{bench.read(out)};
        });
      }
    }
  }
}

// Blocks of a grid go round more than once.
TEST_P(Compact, DotsOfLongVectors) {
  constexpr std::int64_t kSize = 3'200'003;
  const std::vector<double> values = whole(4, kSize);
  const std::vector<double> with = integers(5, kSize, -9, 9);
  expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
    const Compressed from = compressed(bench, 1, [&](int) { return values; });
    double* result = bench.results(1);
    bench.backend().dots(from.vectors, std::vector{bench.vector(with)}, result);
    return Outputs{bench.read(result, 1)};
  });
}

// Real numbers, as many as a history of 100 pairs has: against sums over what the compact vectors stand for.
TEST_P(Compact, DotsAndCombineOfRealNumbers) {
  constexpr int kCount = 201;
  constexpr std::int64_t kSize = 2500;
  const std::vector<double> coefficients = normal(41, kCount, 1 / std::sqrt(kCount));
  const std::vector<double> with = normal(42, kSize);
  // Dots, the combination, and then the values of all vectors.
  const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) {
    Compressed from = compressed(bench, kCount, [](int i) { return normal(static_cast<std::uint64_t>(50 + i), kSize); });
    const Vector v = bench.vector(with);
    const Vector out = bench.vector(kSize);
    double* result = bench.results(kCount);
    bench.backend().dots(from.vectors, std::vector{v}, result);
    bench.backend().combine(coefficients, from.vectors, 0.5, v, out);
    Outputs all{bench.read(result, kCount), bench.read(out)};
    all.insert(all.end(), from.values.begin(), from.values.end());
    return all;
  });
  std::vector<double> dots(kCount);
  std::vector<double> sum(kSize);
  for (std::int64_t i = 0; i < kSize; ++i) sum[i] = 0.5 * with[i];
  for (int k = 0; k < kCount; ++k) {
    const std::vector<double>& values = outputs[static_cast<std::size_t>(k) + 2];
    for (std::int64_t i = 0; i < kSize; ++i) {
      dots[k] += values[i] * with[i];
      sum[i] += coefficients[k] * values[i];
    }
  }
  // The sum of |a b| is near kSize; 128 to 256 float32 roundings of a piece's sum.
  EXPECT_TRUE(close(outputs[0], dots, tolerance::kDirectConvolution.with_floor(kSize)));
  EXPECT_TRUE(close(outputs[1], sum, tolerance::kDirectConvolution.with_floor(1)));
}

TEST_P(Compact, BadNumbersShowInTheirRunAndNowhereElse) {
  constexpr std::int64_t kSize = 3 * kRun + 5;
  for (double bad : {kNan, kInfinity, -kInfinity}) {
    for (std::int64_t at : {std::int64_t{0}, kRun + 17, kSize - 1}) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(bad) + " at " + std::to_string(at));
      std::vector<double> values = whole(3, kSize);
      const std::vector<double> good = values;
      values[at] = bad;
      const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) {
        Outputs all = compress(bench, values);
        const Compressed from = compressed(bench, 1, [&](int) { return values; });
        double* result = bench.results(1);
        bench.backend().dots(from.vectors, std::vector{bench.vector(std::vector<double>(kSize, 1.0))}, result);
        all.push_back(bench.read(result, 1));
        return all;
      });
      for (int form : {0, 1}) {
        for (std::int64_t i = 0; i < kSize; ++i) {
          if (i / kRun == at / kRun) {
            EXPECT_TRUE(std::isnan(outputs[form][i])) << i;
          } else {
            EXPECT_EQ(outputs[form][i], good[i]) << i;
          }
        }
      }
      EXPECT_TRUE(std::isnan(outputs[2][0]));
    }
  }
}

TEST_P(Compact, RunsOfNothingAreZero) {
  std::vector<double> values(3 * kRun, 0.0);
  for (std::int64_t i = 0; i < kRun; ++i) values[kRun + i] = static_cast<float>(0.99 * Backend::kCompactLeast);
  values[2 * kRun] = Backend::kCompactDigits;
  const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) { return compress(bench, values); });
  for (int form : {0, 1}) {
    for (std::int64_t i = 0; i < 3 * kRun; ++i) EXPECT_EQ(outputs[form][i], i == 2 * kRun ? Backend::kCompactDigits : 0) << i;
  }
}

TEST_P(Compact, WrongSizesAreRefused) {
  for (const std::unique_ptr<Backend>& backend : instances(GetParam())) {
    Workbench bench(*backend);
    const Vector v = bench.vector(normal(1, 100));
    const CompactVector same = bench.compact_vector(100);
    const CompactVector other = bench.compact_vector(101);
    backend->compress(v, same);
    EXPECT_THROW(backend->compress(v, other), ShapeError);
    EXPECT_THROW(backend->dots(std::vector{same, other}, std::vector{v}, bench.results(2)), ShapeError);
    EXPECT_THROW(backend->dots(std::vector{same}, std::vector<Vector>(Backend::kMaxFew + 1, v), bench.results(5)), ShapeError);
    EXPECT_THROW(backend->combine(std::vector{1.0, 1.0}, std::vector{same, other}, 1, v, v), ShapeError);
    EXPECT_THROW(backend->combine(std::vector{1.0, 1.0}, std::vector{same}, 1, v, v), ShapeError);
    EXPECT_THROW(backend->combine(std::vector{1.0}, std::vector{same}, 1, v, bench.vector(99)), ShapeError);
  }
}

}  // namespace
}  // namespace impasto::testing_support
