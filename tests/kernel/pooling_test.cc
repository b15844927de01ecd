// relu, pool2x2, their gradients, fill_zero.
#include <cmath>

#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

const std::vector<Shape> kShapes{{1, 1, 1}, {3, 1, 1},    {16, 1, 9},  {17, 9, 1},  {1, 2, 2},   {5, 2, 3},   {16, 3, 2},    {33, 5, 7},
                                 {8, 8, 8}, {64, 13, 11}, {31, 17, 4}, {24, 6, 20}, {15, 31, 9}, {48, 16, 5}, {128, 12, 19}, {3, 101, 75}};

std::vector<Shape> poolable_shapes() {
  std::vector<Shape> shapes;
  for (Shape shape : kShapes) {
    if (shape.h >= 2 && shape.w >= 2) shapes.push_back(shape);
  }
  return shapes;
}

class Pooling : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(Pooling, kFeatures);

// Integers with many zeros: exactly at the kink nothing passes.
TEST_P(Pooling, ReluAndItsGradientAreExact) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features in = bench.features(shape, integers(1, shape.size(), -2, 2));
      const Features out = bench.features(shape);
      const Features silent = bench.features(shape);
      const Mask mask = bench.mask(shape);
      const Features grad = bench.features(shape, integers(2, shape.size(), -9, 9));
      bench.backend().relu(in, out, mask);
      bench.backend().relu(in, silent, {});
      bench.backend().relu_gradient(mask, grad);
      return Outputs{bench.read(out), bench.read(silent), bench.read(grad), bench.read(in)};
    });
  }
}

TEST_P(Pooling, ReluWorksInPlace) {
  for (Shape shape : kShapes) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features f = bench.features(shape, normal(3, shape.size()));
      const Mask mask = bench.mask(shape);
      const Features grad = bench.features(shape, normal(4, shape.size()));
      bench.backend().relu(f, f, mask);
      bench.backend().relu_gradient(mask, grad);
      return Outputs{bench.read(f), bench.read(grad)};
    });
  }
}

// All values distinct.
TEST_P(Pooling, MaxPoolAndItsGradientAreExact) {
  for (Shape shape : poolable_shapes()) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    std::vector<double> values = shuffled(5, shape.size());
    for (double& value : values) value -= static_cast<double>(shape.size() / 2);
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features in = bench.features(shape, values);
      const Features out = bench.features(pooled(shape));
      const Features silent = bench.features(pooled(shape));
      const Mask mask = bench.mask(shape);
      const Features grad_in = bench.features(shape);
      bench.backend().pool2x2(PoolKind::kMax, in, out, mask);
      bench.backend().pool2x2(PoolKind::kMax, in, silent, {});
      bench.backend().pool2x2_gradient(PoolKind::kMax, bench.features(pooled(shape), integers(6, pooled(shape).size(), -9, 9)), mask,
                                       grad_in);
      return Outputs{bench.read(out), bench.read(silent), bench.read(grad_in)};
    });
  }
}

// Few different integers, so that most windows have several largest: the first of them in row order is chosen.
TEST_P(Pooling, MaxPoolChoosesTheFirstOfEqualValues) {
  for (Shape shape : poolable_shapes()) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features in = bench.features(shape, integers(7, shape.size(), 0, 1));
      const Features out = bench.features(pooled(shape));
      const Mask mask = bench.mask(shape);
      const Features grad_in = bench.features(shape);
      bench.backend().pool2x2(PoolKind::kMax, in, out, mask);
      bench.backend().pool2x2_gradient(PoolKind::kMax, bench.features(pooled(shape), integers(8, pooled(shape).size(), 1, 9)), mask,
                                       grad_in);
      return Outputs{bench.read(out), bench.read(grad_in)};
    });
  }
}

// Averages leave masks alone, theirs is what somebody else recorded.
TEST_P(Pooling, AveragePoolAndItsGradientAreExactOnIntegers) {
  for (Shape shape : poolable_shapes()) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features out = bench.features(pooled(shape));
      const Features grad_in = bench.features(shape);
      const Mask mask = bench.mask(shape);
      const Features rectified = bench.features(shape, integers(12, shape.size(), -9, 9));
      const Features passed = bench.features(shape, integers(13, shape.size(), 1, 9));
      bench.backend().relu(rectified, rectified, mask);
      bench.backend().pool2x2(PoolKind::kAverage, bench.features(shape, integers(9, shape.size(), -99, 99)), out, mask);
      bench.backend().pool2x2_gradient(PoolKind::kAverage, bench.features(pooled(shape), integers(10, pooled(shape).size(), -99, 99)), mask,
                                       grad_in);
      bench.backend().relu_gradient(mask, passed);
      return Outputs{bench.read(out), bench.read(grad_in), bench.read(passed)};
    });
  }
}

TEST_P(Pooling, AveragePoolOfRealNumbers) {
  for (Shape shape : poolable_shapes()) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    expect_as_reference(GetParam(),
                        [&](Workbench& bench) {
                          const Features out = bench.features(pooled(shape));
                          bench.backend().pool2x2(PoolKind::kAverage, bench.features(shape, normal(11, shape.size())), out, {});
                          return Outputs{bench.read(out)};
                        },
                        {GetParam().features.with_floor(0.5)});
  }
}

// At the last of the four: the CPU's maximum keeps a NaN only there. In a run a convolution spreads it over whole windows before.
TEST_P(Pooling, CarriesNan) {
  for (Shape shape : {Shape{1, 4, 6}, Shape{33, 4, 6}, Shape{64, 5, 7}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape));
    std::vector<double> values = normal(14, shape.size());
    const std::size_t bad = static_cast<std::size_t>((shape.c - 1) * shape.plane() + std::int64_t{3} * shape.w + 3);
    const std::size_t of_pooled = static_cast<std::size_t>((shape.c - 1) * pooled(shape).plane() + std::int64_t{1} * (shape.w / 2) + 1);
    values[bad] = std::nan("");
    const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) {
      const Features in = bench.features(shape, values);
      const Features out = bench.features(shape);
      const Features largest = bench.features(pooled(shape));
      const Features average = bench.features(pooled(shape));
      bench.backend().relu(in, out, {});
      bench.backend().pool2x2(PoolKind::kMax, in, largest, {});
      bench.backend().pool2x2(PoolKind::kAverage, in, average, {});
      return Outputs{bench.read(out), bench.read(largest), bench.read(average)};
    });
    for (std::size_t output = 0; output < outputs.size(); ++output) {
      const std::size_t expected = output == 0 ? bad : of_pooled;
      for (std::size_t i = 0; i < outputs[output].size(); ++i)
        ASSERT_EQ(std::isnan(outputs[output][i]), i == expected) << "output " << output << " at " << i;
    }
  }
}

TEST_P(Pooling, FillZeroFillsWithZeros) {
  for (Shape shape : kShapes) {
    expect_equal_to_reference(GetParam(), [&](Workbench& bench) {
      const Features f = bench.features(shape);
      bench.backend().fill_zero(f);
      return Outputs{bench.read(f)};
    });
  }
}

}  // namespace
}  // namespace impasto::testing_support
