// Every other operation that has a gradient.
#include <gtest/gtest.h>

#include <algorithm>

#include "impasto/error.h"
#include "tests/gradient/double_reference.h"
#include "tests/support/compare.h"
#include "tests/support/names.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

// Values far from 0 and from each other compared with the step of the differences: multiples of 1/8, none 0, all distinct.
std::vector<double> spread(std::uint64_t seed, std::int64_t count) {
  std::vector<double> values = shuffled(seed, count);
  for (double& value : values) value = (value - static_cast<double>(count / 2) + 0.5) / 8;
  return values;
}

std::vector<double> sum(std::vector<double> a, std::span<const double> b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

class OperationGradient : public testing::TestWithParam<Shape> {
 protected:
  Shape shape() const { return GetParam(); }

  std::unique_ptr<Backend> backend_ = double_reference();
  Workbench bench_{*backend_};
};

INSTANTIATE_TEST_SUITE_P(Shapes, OperationGradient, testing::ValuesIn(small_shapes()), ParameterName());

TEST_P(OperationGradient, Relu) {
  const std::vector<double> x = spread(1, shape().size());
  const std::vector<double> grad_out = normal(2, shape().size());
  const Features in = bench_.features(shape());
  const Features out = bench_.features(shape());
  const std::vector<double> numeric = finite_differences(
      [&](std::span<const double> at) {
        backend_->upload(at, in);
        backend_->relu(in, out, {});
        return dot(bench_.read(out), grad_out);
      },
      x);
  backend_->upload(x, in);
  const Mask mask = bench_.mask(shape());
  backend_->relu(in, in, mask);
  const Features grad = bench_.features(shape(), grad_out);
  backend_->relu_gradient(mask, grad);
  EXPECT_TRUE(close(bench_.read(grad), numeric, tolerance::kFiniteDifference));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(OperationGradient, Pool2x2) {
  if (shape().h < 2 || shape().w < 2) {
    EXPECT_THROW(backend_->pool2x2(PoolKind::kMax, bench_.features(shape()), bench_.features({shape().c, 1, 1}), {}), ShapeError);
    return;
  }
  const Shape pooled{shape().c, shape().h / 2, shape().w / 2};
  const std::vector<double> x = spread(3, shape().size());
  const std::vector<double> grad_out = normal(4, pooled.size());
  for (PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    const Features in = bench_.features(shape());
    const Features out = bench_.features(pooled);
    const std::vector<double> numeric = finite_differences(
        [&](std::span<const double> at) {
          backend_->upload(at, in);
          backend_->pool2x2(kind, in, out, {});
          return dot(bench_.read(out), grad_out);
        },
        x);
    backend_->upload(x, in);
    const Mask mask = bench_.mask(shape());
    backend_->pool2x2(kind, in, out, mask);
    const Features grad_in = bench_.features(shape());
    backend_->pool2x2_gradient(kind, bench_.features(pooled, grad_out), mask, grad_in);
    EXPECT_TRUE(close(bench_.read(grad_in), numeric, tolerance::kFiniteDifference));
  }
  EXPECT_EQ(bench_.damage(), "");
}

// L = ||G - A||^2.
TEST_P(OperationGradient, Gram) {
  const std::int64_t entries = std::int64_t{shape().c} * shape().c;
  const std::vector<double> x = normal(5, shape().size());
  const std::vector<double> target = normal(6, entries);
  const std::vector<double> before = normal(7, shape().size());
  const Features f = bench_.features(shape());
  const Vector g = bench_.vector(entries);
  void* scratch = bench_.scratch(backend_->gram_scratch_bytes(shape()));
  std::vector<double> difference;
  const auto loss = [&](std::span<const double> at) {
    backend_->upload(at, f);
    backend_->gram(f, g, scratch);
    difference = bench_.read(g);
    for (std::int64_t i = 0; i < shape().c; ++i) {
      for (std::int64_t j = 0; j < shape().c; ++j) {  // a symmetric A
        difference[static_cast<std::size_t>(i * shape().c + j)] -=
            target[static_cast<std::size_t>(std::min(i, j) * shape().c + std::max(i, j))];
      }
    }
    return dot(difference, difference);
  };
  const std::vector<double> numeric = finite_differences(loss, x);
  loss(x);
  for (double& entry : difference) entry *= 2;
  const Features grad = bench_.features(shape(), before);
  backend_->gram_gradient({f, bench_.vector(difference), 2.0 / static_cast<double>(shape().plane())}, grad, scratch);
  EXPECT_TRUE(close(bench_.read(grad), sum(numeric, before), tolerance::kFiniteDifference));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(OperationGradient, FeatureDistance) {
  const std::vector<double> x = normal(8, shape().size());
  const std::vector<double> before = normal(9, shape().size());
  const Features f = bench_.features(shape());
  const Features p = bench_.features(shape(), normal(10, shape().size()));
  double* result = bench_.results(1);
  const std::vector<double> numeric = finite_differences(
      [&](std::span<const double> at) {
        backend_->upload(at, f);
        backend_->feature_distance(f, p, 0, {}, result);
        return bench_.read(result, 1)[0];
      },
      x);
  backend_->upload(x, f);
  const Features grad = bench_.features(shape(), before);
  backend_->feature_distance(f, p, 2, grad, result);
  EXPECT_TRUE(close(bench_.read(grad), sum(numeric, before), tolerance::kFiniteDifference));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(OperationGradient, TotalVariation) {
  const std::vector<double> at_x = normal(11, shape().size());
  const std::vector<double> before = normal(12, shape().size());
  const Vector x = bench_.vector(shape().size());
  double* result = bench_.results(1);
  const std::vector<double> numeric = finite_differences(
      [&](std::span<const double> at) {
        backend_->upload(at, x);
        backend_->total_variation(x, shape(), 0, {}, result);
        return bench_.read(result, 1)[0];
      },
      at_x);
  backend_->upload(at_x, x);
  const Vector grad = bench_.vector(before);
  backend_->total_variation(x, shape(), 2, grad, result);
  EXPECT_TRUE(close(bench_.read(grad), sum(numeric, before), tolerance::kFiniteDifference.with_floor(1)));
  EXPECT_EQ(bench_.damage(), "");
}

class Smoothing : public OperationGradient {
 protected:
  std::vector<double> smoothed(std::span<const double> values, int step) {
    const Vector out = bench_.vector(shape().size());
    backend_->smooth(bench_.vector(values), shape(), step, out, 0.0, bench_.vector(shape().size()), bench_.vector(shape().size()));
    return bench_.read(out);
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, Smoothing, testing::ValuesIn(small_shapes()), ParameterName());

TEST_P(Smoothing, IsItsOwnAdjoint) {
  const std::vector<double> x = normal(13, shape().size());
  const std::vector<double> y = normal(14, shape().size());
  for (int step : {1, 2, 3, 4, 8, 64, 1 << 30}) {
    EXPECT_TRUE(
        close(std::vector{dot(smoothed(x, step), y)}, std::vector{dot(x, smoothed(y, step))}, tolerance::kDoubleReordered.with_floor(1)))
        << "step " << step;
  }
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Smoothing, KeepsConstants) {
  for (int step : {1, 2, 3, 16}) {
    EXPECT_TRUE(equal(smoothed(std::vector<double>(static_cast<std::size_t>(shape().size()), 3.0), step),
                      std::vector<double>(static_cast<std::size_t>(shape().size()), 3.0)));
  }
}

TEST(SmoothingOfALine, MirrorsAtHalfSamples) {
  const std::unique_ptr<Backend> backend = double_reference();
  Workbench bench(*backend);
  const Vector out = bench.vector(3);
  // 16 at the first of three: the line is 16 0 0 | 0 0 16 16 0 0 ... with | between the mirror images.
  backend->smooth(bench.vector(std::vector<double>{16, 0, 0}), {1, 1, 3}, 1, out, 0.0, bench.vector(3), bench.vector(3));
  EXPECT_TRUE(equal(bench.read(out), std::vector<double>{6 + 4, 4 + 1, 1}));
  // Taps 2 apart: element 0 sees indices -4 -2 0 2 4, folded 2 1 0 2 1.
  backend->smooth(bench.vector(std::vector<double>{16, 0, 0}), {1, 1, 3}, 2, out, 0.0, bench.vector(3), bench.vector(3));
  EXPECT_TRUE(equal(bench.read(out), std::vector<double>{6, 4 + 1, 4 + 1}));
  // Along a column.
  backend->smooth(bench.vector(std::vector<double>{16, 0, 0}), {1, 3, 1}, 1, out, 0.0, bench.vector(3), bench.vector(3));
  EXPECT_TRUE(equal(bench.read(out), std::vector<double>{6 + 4, 4 + 1, 1}));
}

}  // namespace
}  // namespace impasto::testing_support
