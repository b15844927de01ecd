// copy, dots, combine, take_step, norms, smooth, adam.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

// Around SIMD widths and unrolling, and long enough for several threads.
const std::vector<std::int64_t> kSizes{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 1000, 4097, 65'537, 200'003};

class Vectors : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(Vectors, kVectors);

TEST_P(Vectors, TransfersAndCopyAreExact) {
  for (std::int64_t size : kSizes) {
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Vector from = bench.vector(normal(1, size));
      const Vector to = bench.vector(size);
      bench.backend().copy(from, to);
      return Outputs{bench.read(from), bench.read(to)};
    });
  }
}

TEST_P(Vectors, TransfersOfFeaturesAreExact) {
  for (Shape shape : {Shape{1, 1, 1}, Shape{3, 5, 7}, Shape{16, 3, 4}, Shape{17, 1, 9}, Shape{130, 9, 2}}) {
    expect_equal_to_reference(GetParam(),
                              [&](Workbench& bench) { return Outputs{bench.read(bench.features(shape, normal(2, shape.size())))}; });
  }
}

Outputs dots(Workbench& bench, int many_count, int few_count, const std::function<std::vector<double>(int)>& values) {
  std::vector<Vector> many;
  std::vector<Vector> few;
  for (int i = 0; i < many_count; ++i) many.push_back(bench.vector(values(i)));
  for (int j = 0; j < few_count; ++j) few.push_back(bench.vector(values(1000 + j)));
  if (many_count > 1 && few_count > 1) few[1] = many[0];  // a vector on both sides
  double* result = bench.results(std::max(many_count * few_count, 1));
  bench.backend().dots(many, few, result);
  return {bench.read(result, many_count * few_count)};
}

// The sum of |a b| is near size.
TEST_P(Vectors, DotsOfRealNumbersAccumulateInDouble) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    for (int few : {1, 2, 3, 4}) {
      for (int many : {1, 2, 5}) {
        if (size > 10'000 && (few != 3 || many != 5)) continue;  // all forms on short vectors, one on long ones
        expect_as_reference(GetParam(),
                            [&](Workbench& bench) {
                              return dots(bench, many, few, [&](int i) { return normal(static_cast<std::uint64_t>(10 + i), size); });
                            },
                            {tolerance::kDoubleSum.with_floor(static_cast<double>(size))});
      }
    }
  }
}

TEST_P(Vectors, DotsOfManyVectors) {
  for (int many : {0, 9, 201, 300}) {
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      return dots(bench, many, 3, [](int i) { return integers(static_cast<std::uint64_t>(20 + i), 1003, -999, 999); });
    });
  }
}

// Sums that float32 could not hold.
TEST_P(Vectors, DotsOfLargeIntegersAreExact) {
  expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
    return dots(bench, 3, 2, [](int i) { return integers(static_cast<std::uint64_t>(30 + i), 65'537, 0, 200'000); });
  });
}

Outputs combine(Workbench& bench, std::span<const double> coefficients, const std::vector<std::vector<double>>& terms, int out_is_term) {
  std::vector<Vector> vectors;
  for (const std::vector<double>& term : terms) vectors.push_back(bench.vector(term));
  const Vector out = out_is_term < 0 ? bench.vector(std::ssize(terms[0])) : vectors[static_cast<std::size_t>(out_is_term)];
  bench.backend().combine(coefficients, vectors, out);
  return {bench.read(out)};
}

TEST_P(Vectors, CombineOfIntegersIsExactAlsoInPlace) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    for (int count : {1, 2, 3, 4, 5, 9}) {
      std::vector<std::vector<double>> terms;
      for (int i = 0; i < count; ++i) terms.push_back(integers(static_cast<std::uint64_t>(40 + i), size, -99, 99));
      const std::vector<double> coefficients = integers(41, count, -9, 9);
      for (int out_is_term : {-1, 0, count - 1, count / 2}) {
        expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return combine(bench, coefficients, terms, out_is_term); });
      }
    }
  }
}

TEST_P(Vectors, CombineOfManyRealTerms) {
  constexpr int kCount = 201;  // history 100: pairs and the gradient
  std::vector<std::vector<double>> terms;
  for (int i = 0; i < kCount; ++i) terms.push_back(normal(static_cast<std::uint64_t>(300 + i), 1003));
  const std::vector<double> coefficients = normal(51, kCount, 1 / std::sqrt(kCount));
  // kCount roundings of a running sum of RMS near 1.
  expect_as_reference(GetParam(), [&](Workbench& bench) { return combine(bench, coefficients, terms, 0); },
                      {tolerance::kDirectConvolution.with_floor(1)});
}

// More than a launch of the CUDA backend takes, `out` several times among them.
TEST_P(Vectors, CombineOfHundredsOfTermsAlsoInPlace) {
  constexpr int kCount = 600;
  constexpr std::int64_t kSize = 37;
  const std::vector<double> coefficients = integers(54, kCount, -9, 9);
  for (const std::vector<std::size_t>& places :
       {std::vector<std::size_t>{}, std::vector<std::size_t>{599}, std::vector<std::size_t>{5, 300, 520}}) {
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      std::vector<Vector> terms;
      for (int i = 0; i < kCount; ++i) terms.push_back(bench.vector(integers(static_cast<std::uint64_t>(600 + i), kSize, -99, 99)));
      const Vector out = places.empty() ? bench.vector(kSize) : terms[places[0]];
      for (const std::size_t place : places) terms[place] = out;
      bench.backend().combine(coefficients, terms, out);
      return Outputs{bench.read(out)};
    });
  }
}

// Blocks of a grid, or threads, go round more than once.
TEST_P(Vectors, ReductionsOfLongVectors) {
  constexpr std::int64_t kSize = 1'100'003;
  const std::vector<double> values = integers(55, kSize, -99, 99);
  const std::vector<double> others = integers(56, kSize, -99, 99);
  expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
    const Vector a = bench.vector(values);
    const Vector b = bench.vector(others);
    const std::vector<Vector> many{a, b, b, a, b, b, a, a, b};
    double* products = bench.results(std::ssize(many));
    double* norms = bench.results(2);
    bench.backend().dots(many, std::vector{b}, products);
    bench.backend().norms(a, norms);
    return Outputs{bench.read(products, std::ssize(many)), bench.read(norms, 2)};
  });
}

TEST_P(Vectors, CombineTakesCoefficientsOfAnySize) {
  const std::vector<std::vector<double>> terms{normal(52, 1003), normal(53, 1003)};
  for (double magnitude : {1e-12, 1e12}) {
    expect_as_reference(GetParam(),
                        [&](Workbench& bench) {
                          return combine(bench, std::vector{0.3 * magnitude, -0.7 * magnitude}, terms, -1);
                        },
                        {tolerance::kFloatExpression});
  }
}

struct Step {
  double length;
  double longest;
};

// x after the step, how long it was.
Outputs take_step(Workbench& bench, const std::vector<double>& from, const std::vector<double>& direction, Step step) {
  const Vector along = bench.vector(direction);
  double* const squared = bench.results(1);
  double* const taken = bench.results(1);
  bench.backend().dots(std::array{along}, std::array{along}, squared);
  const Vector x = bench.vector(from);
  bench.backend().take_step(along, squared, step.length, step.longest, x, taken);
  return {bench.read(x), bench.read(taken, 1)};
}

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Directions of RMS 3, and steps by powers of two.
TEST_P(Vectors, TakeStepIsBoundedByTheDirectionsLength) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    const std::vector<double> base = integers(91, size, -99, 99);
    std::vector<double> direction = integers(92, size, 0, 1);
    for (double& d : direction) d = 6 * d - 3;
    for (const auto& [step, taken] : {std::pair(Step{0.5, 100}, 0.5), std::pair(Step{1, 1.5}, 0.5), std::pair(Step{kInfinite, 12}, 4.0),
                                      std::pair(Step{0.25, kInfinite}, 0.25), std::pair(Step{-0.5, kInfinite}, -0.5)}) {
      const Operation operation = [&, one = step](Workbench& bench) { return take_step(bench, base, direction, one); };
      expect_equal_to_reference(GetParam(), operation);
      EXPECT_EQ(expected_outputs(GetParam(), operation)[1][0], taken);
    }
  }
}

TEST_P(Vectors, TakeStepOfRealNumbers) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    for (const Step step : {Step{0.3, 20}, Step{1, 0.07}}) {
      expect_as_reference(GetParam(), [&](Workbench& bench) { return take_step(bench, normal(93, size), normal(94, size), step); },
                          {tolerance::kFloatExpression.with_floor(1), tolerance::kDoubleSum});
    }
  }
}

// What combine makes of the same numbers, to the bit: a step by what the host knows and one by what the device knows are one.
TEST_P(Vectors, TakeStepIsCombine) {
  for (std::int64_t size : {1, 5, 1003}) {
    const std::vector<double> base = normal(95, size);
    const std::vector<double> direction = normal(96, size);
    const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) {
      Outputs made = take_step(bench, base, direction, {0.37, kInfinite});
      const Vector x = bench.vector(base);
      bench.backend().combine(std::array{1.0, 0.37}, std::array{x, bench.vector(direction)}, x);
      made.push_back(bench.read(x));
      return made;
    });
    EXPECT_EQ(outputs[0], outputs[2]);
  }
}

TEST_P(Vectors, TakeStepHidesNoNan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [base, direction] : {std::pair(std::vector<double>{1, 2, 3}, std::vector<double>{1, nan, 1}),
                                        std::pair(std::vector<double>{1, nan, 3}, std::vector<double>{1, 2, 1})}) {
    const Outputs outputs = proven_outputs(GetParam(), [&, &from = base, &along = direction](Workbench& bench) {
      return take_step(bench, from, along, {1, 2});
    });
    EXPECT_TRUE(std::isnan(outputs[0][1]));
    if (std::isnan(direction[1])) {
      EXPECT_EQ(outputs[1][0], 1);
    }
  }
  // Nowhere to go: as far as may be, which is no number.
  const Outputs nowhere = proven_outputs(GetParam(), [&](Workbench& bench) { return take_step(bench, {1, 2}, {0, 0}, {kInfinite, 2}); });
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(std::isnan(nowhere[0][static_cast<std::size_t>(i)]));
}

TEST_P(Vectors, Norms) {
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    const auto norms = [](Workbench& bench, std::span<const double> values) {
      double* result = bench.results(2);
      bench.backend().norms(bench.vector(values), result);
      return Outputs{bench.read(result, 2)};
    };
    const std::vector<double> values = normal(61, size);
    expect_as_reference(GetParam(), [&](Workbench& bench) { return norms(bench, values); }, {tolerance::kDoubleSum});
    for (std::int64_t at : {std::int64_t{0}, size / 2, size - 1}) {
      std::vector<double> other = values;
      other[static_cast<std::size_t>(at)] = -1000;
      const Outputs largest = proven_outputs(GetParam(), [&](Workbench& bench) { return norms(bench, other); });
      EXPECT_EQ(largest[0][1], 1000) << "at " << at;
      other[static_cast<std::size_t>(at)] = std::numeric_limits<double>::quiet_NaN();
      const Outputs not_a_number = proven_outputs(GetParam(), [&](Workbench& bench) { return norms(bench, other); });
      for (double result : not_a_number[0]) EXPECT_TRUE(std::isnan(result)) << "at " << at;
      other[static_cast<std::size_t>(at)] = -std::numeric_limits<double>::infinity();
      const Outputs infinite = proven_outputs(GetParam(), [&](Workbench& bench) { return norms(bench, other); });
      for (double result : infinite[0]) EXPECT_EQ(result, std::numeric_limits<double>::infinity()) << "at " << at;
    }
  }
}

const std::vector<Shape> kPictures{{3, 1, 1}, {3, 1, 2},   {3, 2, 1},   {3, 1, 40},   {3, 40, 1},  {3, 2, 2},
                                   {1, 7, 5}, {3, 17, 16}, {3, 15, 33}, {3, 101, 75}, {1, 3, 1030}};

TEST_P(Vectors, Smooth) {
  for (Shape shape : kPictures) {
    for (int step : {1, 2, 3, 4, 7, 8, 16, 32, 64, 1024}) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape) + " step " + std::to_string(step));
      const auto smooth = [&](Workbench& bench, std::span<const double> values) {
        const Vector out = bench.vector(shape.size());
        const Vector in = bench.vector(values);
        const Vector sum = bench.vector(values);
        bench.backend().smooth(in, shape, step, out, 0.5, sum, bench.vector(shape.size()));
        return Outputs{bench.read(out), bench.read(sum), bench.read(in)};
      };
      // Multiples of 1/256 of integers below 2^8 in magnitude: exact in 24 bits.
      expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return smooth(bench, integers(71, shape.size(), -255, 255)); });
      expect_as_reference(GetParam(), [&](Workbench& bench) { return smooth(bench, normal(72, shape.size())); },
                          {tolerance::kFloatExpression.with_floor(1)});
    }
  }
}

TEST_P(Vectors, AdamOverSeveralSteps) {
  Backend::AdamParameters parameters;
  parameters.step_size = 0.1;
  for (std::int64_t size : kSizes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(size));
    const Operation steps = [&](Workbench& bench) {
      const Vector m = bench.vector(std::vector<double>(static_cast<std::size_t>(size)));
      const Vector v = bench.vector(std::vector<double>(static_cast<std::size_t>(size)));
      const Vector x = bench.vector(normal(81, size));
      for (int t = 1; t <= 5; ++t)
        bench.backend().adam(bench.vector(normal(static_cast<std::uint64_t>(81 + t), size)), parameters, t, m, v, x);
      return Outputs{bench.read(m), bench.read(v), bench.read(x)};
    };
    // m and v gather a tenth and a thousandth of the gradient.
    expect_as_reference(GetParam(), steps,
                        {tolerance::kFloatExpression.with_floor(0.1), tolerance::kFloatExpression.with_floor(1e-3),
                         tolerance::kFloatExpression.with_floor(1)});
  }
}

// Step 1 from rest moves every element by step_size against the sign of its gradient, however small.
TEST_P(Vectors, AdamsFirstStep) {
  Backend::AdamParameters parameters;
  parameters.step_size = 0.5;
  parameters.epsilon = 0;
  const Outputs moved = proven_outputs(GetParam(), [&](Workbench& bench) {
    const Vector x = bench.vector(std::vector<double>{1, 2, 3, 4});
    bench.backend().adam(bench.vector(std::vector<double>{1e-3, -1e-6, 1e3, -1}), parameters, 1, bench.vector(std::vector<double>(4)),
                         bench.vector(std::vector<double>(4)), x);
    return Outputs{bench.read(x)};
  });
  EXPECT_TRUE(close(moved[0], std::vector<double>{0.5, 2.5, 2.5, 4.5}, tolerance::kFloatExpression));
}

}  // namespace
}  // namespace impasto::testing_support
