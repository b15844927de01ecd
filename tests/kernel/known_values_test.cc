// The smallest cases, worked out by hand: what no agreement between backends can replace.
#include <cmath>

#include "tests/kernel/proof.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

using Numbers = std::vector<double>;

class KnownValues : public KernelTest {
 protected:
  Backend& backend() { return *instances(GetParam()).front(); }

  Workbench bench_{*instances(GetParam()).front(), Workbench::Poison::kNan, GetParam().memory};
};

IMPASTO_FOR_EVERY_BACKEND(KnownValues, kConvolutions);

TEST_P(KnownValues, ReluPassesOnlyWhatIsAboveZero) {
  const Features f = bench_.features({1, 1, 4}, Numbers{-2, 0, 0.5, 3});
  const Features grad = bench_.features({1, 1, 4}, Numbers{1, 1, 1, 1});
  const Mask mask = bench_.mask({1, 1, 4});
  backend().relu(f, f, mask);
  backend().relu_gradient(mask, grad);
  EXPECT_TRUE(equal(bench_.read(f), Numbers{0, 0, 0.5, 3}));
  EXPECT_TRUE(equal(bench_.read(grad), Numbers{0, 0, 1, 1}));
}

// Two windows; the odd last row and column belong to none.
TEST_P(KnownValues, PoolingAndWhereItsGradientGoes) {
  const Shape in_shape{1, 3, 5};
  const Shape out_shape{1, 1, 2};
  const Features in = bench_.features(in_shape, Numbers{1, 4, -7, -7, 90,  //
                                                        4, 2, -7, -8, 90,  //
                                                        90, 90, 90, 90, 90});
  const Features out = bench_.features(out_shape);
  const Mask mask = bench_.mask(in_shape);
  const Features grad_in = bench_.features(in_shape);
  const Features grad_out = bench_.features(out_shape, Numbers{8, 16});
  backend().pool2x2(PoolKind::kMax, in, out, mask);
  backend().pool2x2_gradient(PoolKind::kMax, grad_out, mask, grad_in);
  EXPECT_TRUE(equal(bench_.read(out), Numbers{4, -7}));
  EXPECT_TRUE(equal(bench_.read(grad_in), Numbers{0, 8, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  backend().pool2x2(PoolKind::kAverage, in, out, {});
  backend().pool2x2_gradient(PoolKind::kAverage, grad_out, {}, grad_in);
  EXPECT_TRUE(equal(bench_.read(out), Numbers{2.75, -7.25}));
  EXPECT_TRUE(equal(bench_.read(grad_in), Numbers{2, 2, 4, 4, 0, 2, 2, 4, 4, 0, 0, 0, 0, 0, 0}));
}

// One channel, weights 1 to 9, input 1 at one place: a correlation, not a convolution with a flipped kernel.
TEST_P(KnownValues, ConvolutionOfAnImpulse) {
  std::vector<float> weight(9);
  for (std::size_t tap = 0; tap < 9; ++tap) weight[tap] = static_cast<float>(tap + 1);
  const std::vector<float> bias{-2};
  const Shape shape{1, 3, 4};
  const Features impulse = bench_.features(shape, Numbers{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  const Features out = bench_.features(shape);
  const Features grad_in = bench_.features(shape);
  const std::unique_ptr<Filters> filters = backend().load_filters({1, 1, false, weight, bias});
  const std::unique_ptr<ConvPlan> plan = backend().plan_conv3x3({shape.h, shape.w, Epilogue::kNone, filters.get()});
  void* scratch = bench_.scratch(plan->scratch_bytes());
  plan->forward(impulse, out, {}, scratch);
  plan->gradient(impulse, {}, grad_in, scratch);
  EXPECT_TRUE(close(bench_.read(out), Numbers{7, 6, 5, -2, 4, 3, 2, -2, 1, 0, -1, -2}, GetParam().convolution));
  EXPECT_TRUE(close(bench_.read(grad_in), Numbers{1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0}, GetParam().convolution));
}

TEST_P(KnownValues, Losses) {
  const Shape shape{2, 1, 2};
  const Features f = bench_.features(shape, Numbers{1, 2, 3, 4});
  const Vector g = bench_.vector(4);
  void* scratch = bench_.scratch(backend().gram_scratch_bytes(shape));
  backend().gram(f, g, scratch);
  EXPECT_TRUE(equal(bench_.read(g), Numbers{2.5, 5.5, 5.5, 12.5}));
  const Features grad = bench_.features(shape, Numbers{100, 100, 100, 100});
  backend().gram_gradient({f, bench_.vector(Numbers{1, -1, -1, 2}), 0.5}, grad, scratch);
  EXPECT_TRUE(equal(bench_.read(grad), Numbers{99, 99, 102.5, 103}));

  double* result = bench_.results(1);
  backend().feature_distance(f, bench_.features(shape, Numbers{1, 0, 6, 4}), 2, grad, result);
  EXPECT_TRUE(equal(bench_.read(result, 1), Numbers{4 + 9}));
  EXPECT_TRUE(equal(bench_.read(grad), Numbers{99, 103, 96.5, 103}));

  const Vector grad_x = bench_.vector(Numbers{10, 20, 30, 40});
  backend().total_variation(bench_.vector(Numbers{1, 4, 3, 9}), {1, 2, 2}, 2, grad_x, result);
  EXPECT_TRUE(equal(bench_.read(result, 1), Numbers{9 + 4 + 25 + 36}));
  EXPECT_TRUE(equal(bench_.read(grad_x), Numbers{10 - 10, 20 - 4, 30 - 8, 40 + 22}));
}

TEST_P(KnownValues, Vectors) {
  const Vector a = bench_.vector(Numbers{1, 2, 3});
  const Vector b = bench_.vector(Numbers{4, -5, 6});
  double* result = bench_.results(4);
  backend().dots(std::vector{a, b}, std::vector{b, a}, result);
  EXPECT_TRUE(equal(bench_.read(result, 4), Numbers{12, 14, 77, 12}));
  backend().norms(b, result);
  EXPECT_TRUE(equal(bench_.read(result, 2), Numbers{15, 6}));
  backend().combine(Numbers{2, -1}, std::vector{a, b}, b);
  EXPECT_TRUE(equal(bench_.read(b), Numbers{-2, 9, 0}));
}

// Two steps of Adam on one number, by the algorithm's lines.
TEST_P(KnownValues, Adam) {
  Backend::AdamParameters parameters;
  parameters.step_size = 0.5;
  parameters.beta1 = 0.5;
  parameters.beta2 = 0.75;
  parameters.epsilon = 0.25;
  const Vector m = bench_.vector(Numbers{0});
  const Vector v = bench_.vector(Numbers{0});
  const Vector x = bench_.vector(Numbers{10});
  backend().adam(bench_.vector(Numbers{2}), parameters, 1, m, v, x);
  // m = 1, v = 1; corrected 2 and 4.
  EXPECT_TRUE(close(bench_.read(x), Numbers{10 - 0.5 * 2 / (2 + 0.25)}, tolerance::kFloatExpression));
  backend().adam(bench_.vector(Numbers{-4}), parameters, 2, m, v, x);
  EXPECT_TRUE(close(bench_.read(m), Numbers{-1.5}, tolerance::kFloatExpression));
  EXPECT_TRUE(close(bench_.read(v), Numbers{4.75}, tolerance::kFloatExpression));
  const double second = -1.5 / 0.75 / (std::sqrt(4.75 / 0.4375) + 0.25);
  EXPECT_TRUE(close(bench_.read(x), Numbers{10 - 0.5 * 2 / 2.25 - 0.5 * second}, tolerance::kFloatExpression));
}

}  // namespace
}  // namespace impasto::testing_support
