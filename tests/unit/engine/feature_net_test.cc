#include "engine/feature_net.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/network_input.h"
#include "impasto/error.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto {
namespace {

using testing_support::close;
using testing_support::equal;
using testing_support::normal;

// L = sum over taps of 1/2 |F|^2, whose gradient with respect to each tap's features is F itself.
class HalfNorms {
 public:
  HalfNorms(Shape image, PoolKind pooling, std::vector<Tap> taps)
      : backend_(make_backend({.kind = BackendKind::kReferenceDouble})),
        network_(Network::untrained(*backend_, 3)),
        workspace_(*backend_, 256 << 20),
        net_(*backend_, network_, image, pooling, taps, FeatureNet::Purpose::kFeaturesAndGradient, workspace_),
        taps_(static_cast<int>(taps.size())),
        x_(workspace_.vector(image.size(), "test")),
        grad_(workspace_.vector(image.size(), "test")),
        result_(static_cast<double*>(workspace_.take(sizeof(double), "test"))),
        zero_(workspace_.features({512, image.h, image.w}, "test")) {
    backend_->fill_zero(zero_);
  }

  double loss(const std::vector<double>& x) {
    backend_->upload(x, x_);
    net_.forward(x_);
    double sum = 0;
    for (int i = 0; i < taps_; ++i) {
      backend_->feature_distance(net_.tap(i), {zero_.data, net_.tap_shape(i)}, 0.0, {}, result_);
      double squares = 0;
      backend_->fetch(result_, std::span(&squares, 1));
      sum += 0.5 * squares;
    }
    return sum;
  }

  // variation: how much of the picture's total variation the loss has beside.
  std::vector<double> gradient(const std::vector<double>& x, double variation = 0) {
    const TotalVariationTerm term{x_, 2 * variation, result_};
    backend_->upload(x, x_);
    net_.forward(x_);
    const std::vector<FeatureNet::GramGradient> none(static_cast<std::size_t>(taps_));
    net_.backward(
        none,
        [&](int i, Features grad) {
          backend_->feature_distance(net_.tap(i), {zero_.data, net_.tap_shape(i)}, 1.0, grad, result_);
        },
        grad_, variation == 0 ? nullptr : &term);
    std::vector<double> gradient(x.size());
    backend_->download(grad_, gradient);
    return gradient;
  }

 private:
  std::unique_ptr<Backend> backend_;
  Network network_;
  Workspace workspace_;
  FeatureNet net_;
  int taps_;
  Vector x_;
  Vector grad_;
  double* result_;
  Features zero_;
};

struct Case {
  const char* name;
  PoolKind pooling;
  std::vector<const char*> taps;
};

// Every way a layer can be cut: ReLU and pooling in the convolution's epilogue, or apart because a tap reads between them.
class FeatureNetGradient : public testing::TestWithParam<Case> {};

TEST_P(FeatureNetGradient, AgreesWithFiniteDifferences) {
  std::vector<Tap> taps;
  for (const char* name : GetParam().taps) taps.push_back(tap_named(name));
  const Shape image{3, 11, 14};
  HalfNorms net(image, GetParam().pooling, taps);
  const std::vector<double> x = normal(5, image.size());
  const std::vector<double> gradient = net.gradient(x);

  // Along a random direction; ReLU's and max pooling's kinks spoil single directions, so the best of several steps counts.
  const std::vector<double> direction = normal(6, image.size());
  double along = 0;
  for (std::size_t i = 0; i < x.size(); ++i) along += gradient[i] * direction[i];
  double best = INFINITY;
  for (const double h : {1e-4, 1e-5, 1e-6, 1e-7}) {
    std::vector<double> ahead = x;
    std::vector<double> behind = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      ahead[i] += h * direction[i];
      behind[i] -= h * direction[i];
    }
    const double difference = (net.loss(ahead) - net.loss(behind)) / (2 * h);
    best = std::min(best, std::abs(difference - along) / std::abs(along));
  }
  EXPECT_LE(best, 1e-7);
  EXPECT_GT(std::abs(along), 0);

  // A pure function: the same again, to the bit.
  EXPECT_TRUE(equal(net.gradient(x), gradient));
}

INSTANTIATE_TEST_SUITE_P(Cuts, FeatureNetGradient,
                         testing::Values(Case{"ReluAtEnd", PoolKind::kMax, {"relu1_1"}}, Case{"ConvAtEnd", PoolKind::kMax, {"conv1_2"}},
                                         Case{"FusedMaxPool", PoolKind::kMax, {"relu2_1"}},
                                         Case{"FusedAveragePool", PoolKind::kAverage, {"relu2_1"}},
                                         Case{"ReluBeforeMaxPool", PoolKind::kMax, {"relu1_2", "relu2_1"}},
                                         Case{"ReluBeforeAveragePool", PoolKind::kAverage, {"relu1_2", "relu2_1"}},
                                         Case{"ConvBeforeMaxPool", PoolKind::kMax, {"conv1_2", "relu2_1"}},
                                         Case{"ConvAndReluBeforeMaxPool", PoolKind::kMax, {"relu1_2", "conv1_2", "relu2_2"}},
                                         Case{"ConvInTheMiddle", PoolKind::kAverage, {"conv1_1", "conv2_1", "conv3_1"}},
                                         Case{"Deep", PoolKind::kMax, {"relu1_1", "relu3_1", "relu3_4"}}),
                         [](const auto& tested) { return tested.param.name; });

TEST(FeatureNet, AddsTheTotalVariationOfThePicture) {
  const Shape image{3, 11, 14};
  for (const std::vector<Tap>& taps : {std::vector{tap_named("relu1_1")}, std::vector{tap_named("conv1_1"), tap_named("relu2_1")}}) {
    HalfNorms net(image, PoolKind::kMax, taps);
    const std::vector<double> x = normal(5, image.size());
    const std::vector<double> without = net.gradient(x);
    const std::vector<double> with = net.gradient(x, 0.5);
    const auto at = [&](int c, int i, int j) { return static_cast<std::size_t>((c * image.h + i) * image.w + j); };
    std::vector<double> expected = without;
    const auto pull = [&](std::size_t a, std::size_t b) {
      expected[a] += x[a] - x[b];
      expected[b] += x[b] - x[a];
    };
    for (int c = 0; c < image.c; ++c) {
      for (int i = 0; i < image.h; ++i) {
        for (int j = 0; j < image.w; ++j) {
          if (i > 0) pull(at(c, i, j), at(c, i - 1, j));
          if (j > 0) pull(at(c, i, j), at(c, i, j - 1));
        }
      }
    }
    EXPECT_TRUE(close(with, expected, testing_support::tolerance::kDoubleReordered.with_floor(1)));
  }
}

TEST(FeatureNet, RefusesPicturesTooSmallForTheDeepestTap) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceFloat});
  Network network = Network::untrained(*backend, 3);
  const auto build = [&](int size, const char* tap) {
    Workspace workspace(*backend);
    const std::vector<Tap> taps = {tap_named(tap)};
    FeatureNet(*backend, network, {3, size, size}, PoolKind::kMax, taps, FeatureNet::Purpose::kFeatures, workspace);
  };
  EXPECT_NO_THROW(build(1, "relu1_2"));
  EXPECT_THROW(build(1, "relu2_1"), ShapeError);
  EXPECT_NO_THROW(build(16, "relu5_1"));
  EXPECT_THROW(build(15, "relu5_1"), ShapeError);
}

}  // namespace
}  // namespace impasto
