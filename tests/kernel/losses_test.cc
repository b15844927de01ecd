// gram, gram_gradient, feature_distance, total_variation.
#include <algorithm>
#include <cmath>

#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

const std::vector<Shape> kShapes{{1, 1, 1},   {3, 1, 1},    {16, 1, 1},   {17, 1, 9},   {33, 7, 1},    {5, 2, 3},    {16, 4, 4},
                                 {31, 5, 13}, {64, 13, 11}, {64, 50, 61}, {48, 16, 16}, {128, 17, 19}, {256, 9, 10}, {512, 6, 7}};

// A symmetric c x c matrix.
std::vector<double> symmetric(std::vector<double> values, int c) {
  for (int i = 0; i < c; ++i) {
    for (int j = 0; j < i; ++j) values[static_cast<std::size_t>(i * c + j)] = values[static_cast<std::size_t>(j * c + i)];
  }
  return values;
}

class Losses : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(Losses, kFeatures);

Outputs gram(Workbench& bench, Shape shape, const std::vector<double>& f) {
  const Vector g = bench.vector(std::int64_t{shape.c} * shape.c);
  bench.backend().gram(bench.features(shape, f), g, bench.scratch(bench.backend().gram_scratch_bytes(shape)));
  return {bench.read(g)};
}

TEST_P(Losses, GramOfRectifiedFeatures) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    std::vector<double> f = normal(1, shape.size());
    for (double& value : f) value = std::max(value, 0.0);
    expect_as_reference(GetParam(), [&](Workbench& bench) { return gram(bench, shape, f); }, {GetParam().gram.with_floor(0.5)});
  }
}

TEST_P(Losses, GramOfFeaturesOfBothSigns) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_as_reference(GetParam(), [&](Workbench& bench) { return gram(bench, shape, normal(2, shape.size())); },
                        {GetParam().gram.with_floor(1)});
  }
}

// Plane sizes that are powers of two: sums and the division are exact.
TEST_P(Losses, GramOfIntegersIsExact) {
  for (Shape shape : {Shape{1, 1, 1}, Shape{17, 1, 8}, Shape{64, 16, 16}, Shape{5, 2, 4}, Shape{130, 32, 8}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return gram(bench, shape, integers(3, shape.size(), -9, 9)); });
  }
}

TEST_P(Losses, GramIsSymmetricToTheBit) {
  for (Shape shape : kShapes) {
    const std::vector<double> g =
        proven_outputs(GetParam(), [&](Workbench& bench) { return gram(bench, shape, normal(4, shape.size())); })[0];
    std::vector<double> transposed(g.size());
    const auto c = static_cast<std::size_t>(shape.c);
    for (std::size_t i = 0; i < c; ++i) {
      for (std::size_t j = 0; j < c; ++j) transposed[i * c + j] = g[j * c + i];
    }
    EXPECT_TRUE(same_bits(transposed, g)) << name(shape);
  }
}

Outputs gram_gradient(Workbench& bench, Shape shape, const std::vector<double>& f, const std::vector<double>& grad_g, double scale,
                      const std::vector<double>& before) {
  const Features grad_f = bench.features(shape, before);
  bench.backend().gram_gradient({bench.features(shape, f), bench.vector(grad_g), scale}, grad_f,
                                bench.scratch(bench.backend().gram_scratch_bytes(shape)));
  return {bench.read(grad_f)};
}

TEST_P(Losses, GramGradientAccumulates) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> f = normal(5, shape.size());
    const std::vector<double> grad_g = symmetric(normal(6, std::int64_t{shape.c} * shape.c), shape.c);
    const std::vector<double> before = normal(7, shape.size());
    const double scale = -1.3 / std::sqrt(shape.c);  // terms of RMS near 1
    expect_as_reference(GetParam(), [&](Workbench& bench) { return gram_gradient(bench, shape, f, grad_g, scale, before); },
                        {GetParam().gram_gradient.with_floor(1)});
  }
}

// Gram matrices of features in the thousands reach 10^9 and their losses' scales 10^-12: what is added counts, not how it came about.
TEST_P(Losses, GramGradientOfAnyMagnitude) {
  for (Shape shape : {Shape{1, 1, 1}, Shape{33, 7, 1}, Shape{128, 17, 19}}) {
    for (const double magnitude : {1e-20, 1e-5, 1e12}) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape) + " " + std::to_string(magnitude));
      const std::vector<double> f = normal(5, shape.size());
      const std::vector<double> grad_g = symmetric(normal(6, std::int64_t{shape.c} * shape.c, magnitude), shape.c);
      const std::vector<double> before = normal(7, shape.size());
      const double scale = 1 / (magnitude * std::sqrt(shape.c));
      expect_as_reference(GetParam(), [&](Workbench& bench) { return gram_gradient(bench, shape, f, grad_g, scale, before); },
                          {GetParam().gram_gradient.with_floor(1)});
    }
  }
}

TEST_P(Losses, GramGradientOfZeroAddsNothing) {
  const Shape shape{33, 5, 7};
  const std::vector<double> grad_g(static_cast<std::size_t>(shape.c * shape.c));
  expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
    return gram_gradient(bench, shape, normal(5, shape.size()), grad_g, 1, normal(7, shape.size()));
  });
}

TEST_P(Losses, GramGradientCarriesWhatIsNotFinite) {
  const Shape shape{5, 2, 3};
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    std::vector<double> grad_g(static_cast<std::size_t>(shape.c * shape.c), 1.0);
    grad_g[12] = bad;
    const std::vector<double> grad = proven_outputs(GetParam(), [&](Workbench& bench) {
      return gram_gradient(bench, shape, normal(5, shape.size()), grad_g, 1, normal(7, shape.size()));
    })[0];
    for (std::int64_t i = 0; i < shape.plane(); ++i) EXPECT_FALSE(std::isfinite(grad[static_cast<std::size_t>(2 * shape.plane() + i)]));
  }
}

TEST_P(Losses, GramGradientOfIntegersIsExact) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> f = integers(8, shape.size(), -9, 9);
    const std::vector<double> grad_g = symmetric(integers(9, std::int64_t{shape.c} * shape.c, -9, 9), shape.c);
    const std::vector<double> before = integers(10, shape.size(), -9, 9);
    for (double scale : {1.0, -0.5, 0.0}) {
      expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return gram_gradient(bench, shape, f, grad_g, scale, before); });
    }
  }
}

// Outputs: the sum and, where there is a gradient, the gradient.
Outputs feature_distance(Workbench& bench, Shape shape, const std::vector<double>& f, const std::vector<double>& p, double scale,
                         const std::vector<double>& before) {
  double* result = bench.results(1);
  const Features grad_f = before.empty() ? Features{} : bench.features(shape, before);
  bench.backend().feature_distance(bench.features(shape, f), bench.features(shape, p), scale, grad_f, result);
  Outputs outputs{bench.read(result, 1)};
  if (!before.empty()) outputs.push_back(bench.read(grad_f));
  return outputs;
}

TEST_P(Losses, FeatureDistanceOfRealNumbers) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> f = normal(11, shape.size());
    const std::vector<double> p = normal(12, shape.size());
    const std::vector<double> before = normal(13, shape.size());
    expect_as_reference(GetParam(), [&](Workbench& bench) { return feature_distance(bench, shape, f, p, 0.7, before); },
                        {tolerance::kFloatTerms, GetParam().features.with_floor(1)});
  }
}

TEST_P(Losses, FeatureDistanceOfIntegersIsExact) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> f = integers(14, shape.size(), -99, 99);
    const std::vector<double> p = integers(15, shape.size(), -99, 99);
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return feature_distance(bench, shape, f, p, 2, f); });
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return feature_distance(bench, shape, f, p, 2, {}); });
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return feature_distance(bench, shape, f, f, 2, p); });
  }
}

// Blocks of a grid go round more than once; sums of squares that float32 could not hold.
TEST_P(Losses, FeatureDistanceOfManyLargeIntegersIsExact) {
  const Shape shape{64, 129, 130};
  const std::vector<double> f = integers(20, shape.size(), -2047, 2047);
  const std::vector<double> p = integers(21, shape.size(), -2047, 2047);
  expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return feature_distance(bench, shape, f, p, 2, f); });
}

const std::vector<Shape> kPictures{{3, 1, 1}, {3, 1, 2},   {3, 2, 1},   {3, 1, 40},   {3, 40, 1},   {3, 2, 2},
                                   {1, 7, 5}, {3, 17, 16}, {3, 15, 33}, {3, 101, 75}, {3, 90, 1030}};

Outputs total_variation(Workbench& bench, Shape shape, const std::vector<double>& x, double scale, const std::vector<double>& before) {
  double* result = bench.results(1);
  const Vector grad = before.empty() ? Vector{} : bench.vector(before);
  bench.backend().total_variation(bench.vector(x), shape, scale, grad, result);
  Outputs outputs{bench.read(result, 1)};
  if (!before.empty()) outputs.push_back(bench.read(grad));
  return outputs;
}

TEST_P(Losses, TotalVariationOfRealNumbers) {
  for (Shape shape : kPictures) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> x = normal(16, shape.size());
    const std::vector<double> before = normal(17, shape.size());
    expect_as_reference(GetParam(), [&](Workbench& bench) { return total_variation(bench, shape, x, 0.7, before); },
                        {tolerance::kFloatTerms, tolerance::kFloatExpression.with_floor(1)});
  }
}

TEST_P(Losses, TotalVariationOfIntegersIsExact) {
  for (Shape shape : kPictures) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    const std::vector<double> x = integers(18, shape.size(), -99, 99);
    const std::vector<double> before = integers(19, shape.size(), -99, 99);
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return total_variation(bench, shape, x, -2, before); });
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return total_variation(bench, shape, x, -2, {}); });
  }
}

}  // namespace
}  // namespace impasto::testing_support
