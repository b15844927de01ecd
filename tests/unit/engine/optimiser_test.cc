#include "engine/optimiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace impasto {
namespace {

constexpr Shape kImage{3, 12, 16};

// A strictly convex function with condition number 1e4 whose minimum, 0, is at x_i = sin(i).
struct Bowl {
  double loss(const std::vector<double>& x) const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += 0.5 * scale(i) * (x[i] - std::sin(i)) * (x[i] - std::sin(i));
    return sum;
  }
  std::vector<double> gradient(const std::vector<double>& x) const {
    std::vector<double> g(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = scale(i) * (x[i] - std::sin(i));
    return g;
  }
  double scale(std::size_t i) const { return units * std::pow(10.0, 4.0 * static_cast<double>(i) / kImage.size()); }
  double units = 1;
};

struct Trace {
  std::vector<double> losses;
  Optimiser::Verdict verdict = Optimiser::Verdict::kContinue;
};

Trace run(const Bowl& bowl, const StyleOptions& options, int evaluations) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceDouble});
  Workspace workspace(*backend, 16 << 20);
  std::vector<double> asked(static_cast<std::size_t>(optimiser_results(options)));
  const Results answers{static_cast<double*>(workspace.take(std::ssize(asked) * std::int64_t{sizeof(double)}, "test")), asked.data()};
  const auto optimiser = make_optimiser(*backend, kImage, NetworkInput(), options, answers, workspace);
  const Vector x_device = workspace.vector(kImage.size(), "test");
  const Vector grad_device = workspace.vector(kImage.size(), "test");
  double* const results = static_cast<double*>(workspace.take(3 * sizeof(double), "test"));
  std::vector<double> x(kImage.size(), 0.0);
  backend->upload(x, x_device);
  Trace trace;
  while (static_cast<int>(trace.losses.size()) < evaluations && trace.verdict == Optimiser::Verdict::kContinue) {
    backend->download(x_device, x);
    trace.losses.push_back(bowl.loss(x));
    backend->upload(bowl.gradient(x), grad_device);
    backend->norms(grad_device, results);
    backend->dots(std::array{grad_device}, std::array{grad_device}, results + 2);
    std::array<double, 3> norms;
    optimiser->ask(grad_device);
    backend->fetch(results, norms);
    backend->fetch(answers.at, asked);
    trace.verdict = optimiser->advance(trace.losses.back(), {norms[0], norms[1], norms[2]}, grad_device, x_device);
  }
  return trace;
}

class EveryOptimiser : public testing::TestWithParam<Optimizer> {};

TEST_P(EveryOptimiser, FindsTheMinimumOfABowl) {
  StyleOptions options;
  options.optimizer = GetParam();
  options.change_tolerance = 0;
  if (GetParam() == Optimizer::kAdam) options.learning_rate = 0.05;
  const Trace trace = run({}, options, 400);
  EXPECT_LT(*std::min_element(trace.losses.begin(), trace.losses.end()), 1e-4 * trace.losses.front());
}

TEST_P(EveryOptimiser, StopsWhereTheGradientVanishes) {
  StyleOptions options;
  options.optimizer = GetParam();
  options.gradient_tolerance = 1e300;
  const Trace trace = run({}, options, 10);
  EXPECT_EQ(trace.losses.size(), 1u);
  EXPECT_EQ(trace.verdict, Optimiser::Verdict::kGradientTolerance);
}

std::string optimizer_name(const testing::TestParamInfo<Optimizer>& info) {
  const char* const names[] = {"Lbfgs", "LbfgsTorch", "LbfgsWolfe", "Adam"};
  return names[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(All, EveryOptimiser,
                         testing::Values(Optimizer::kLbfgs, Optimizer::kLbfgsTorch, Optimizer::kLbfgsWolfe, Optimizer::kAdam),
                         optimizer_name);

// Multiplying the loss by a power of two changes nothing but the reported losses.
TEST(Lbfgs, DoesNotDependOnTheUnitsOfTheLoss) {
  StyleOptions options;
  options.gradient_tolerance = 0;
  options.change_tolerance = 0;
  const Trace one = run({.units = 1}, options, 60);
  const Trace many = run({.units = 0x1p40}, options, 60);
  ASSERT_EQ(one.losses.size(), many.losses.size());
  for (std::size_t i = 0; i < one.losses.size(); ++i) EXPECT_DOUBLE_EQ(one.losses[i] * 0x1p40, many.losses[i]) << i;
}

TEST(Lbfgs, NeverRisesTenfold) {
  StyleOptions options;
  const Trace trace = run({.units = 1e12}, options, 200);
  for (const double loss : trace.losses) EXPECT_LE(loss, 10 * trace.losses.front());
}

}  // namespace
}  // namespace impasto
