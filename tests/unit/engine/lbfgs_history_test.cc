#include "engine/lbfgs_history.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <numeric>

#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace impasto {
namespace {

using testing_support::close;
using testing_support::normal;

constexpr int kSize = 50;
constexpr int kCapacity = 4;

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// The two-loop recursion as the book has it. [Nocedal & Wright 2006, algorithm 7.4]
struct TwoLoop {
  std::deque<std::vector<double>> s;
  std::deque<std::vector<double>> y;

  std::vector<double> direction(double gamma, std::vector<double> q) const {
    std::vector<double> alpha(s.size());
    for (std::size_t i = s.size(); i-- > 0;) {
      alpha[i] = dot(s[i], q) / dot(s[i], y[i]);
      for (int j = 0; j < kSize; ++j) q[j] -= alpha[i] * y[i][j];
    }
    for (double& v : q) v *= gamma;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const double beta = dot(y[i], q) / dot(s[i], y[i]);
      for (int j = 0; j < kSize; ++j) q[j] += (alpha[i] - beta) * s[i][j];
    }
    for (double& v : q) v = -v;
    return q;
  }
};

struct History {
  explicit History(LbfgsHistory::Digits digits) : History(make_backend({.kind = BackendKind::kReferenceDouble}), digits) {}
  History(std::unique_ptr<Backend> made, LbfgsHistory::Digits digits)
      : backend(std::move(made)),
        workspace(*backend, 1 << 20),
        history(*backend, kSize, kCapacity, digits, workspace),
        grad(workspace.vector(kSize, "test")),
        out(workspace.vector(kSize, "test")) {}

  std::vector<double> read(Vector v) const {
    std::vector<double> values(kSize);
    backend->download(v, values);
    return values;
  }

  std::unique_ptr<Backend> backend;
  Workspace workspace;
  LbfgsHistory history;
  Vector grad;
  Vector out;
};

// Through filling, full and forgetting, with pairs that are offered and not kept in between.
void expect_two_loop_recursion(LbfgsHistory::Digits digits) {
  History h(digits);
  TwoLoop expected;
  for (int i = 0; i < 3 * kCapacity; ++i) {
    std::vector<double> s = normal(10 + i, kSize);
    std::vector<double> y = normal(100 + i, kSize);
    for (int j = 0; j < kSize; ++j) y[j] = 0.3 * y[j] + (1 + j % 5) * s[j];
    const std::vector<double> grad = normal(1000 + i, kSize);
    h.backend->upload(s, h.history.offered_step());
    h.backend->upload(y, h.history.offered_change());
    h.backend->upload(grad, h.grad);

    const LbfgsHistory::Curvature pair = h.history.measure(h.grad);
    // What the history works with: with compact digits the rounded pair.
    EXPECT_EQ(h.read(h.history.offered_step()) == s, digits == LbfgsHistory::Digits::kAll);
    EXPECT_EQ(h.read(h.history.offered_change()) == y, digits == LbfgsHistory::Digits::kAll);
    s = h.read(h.history.offered_step());
    y = h.read(h.history.offered_change());
    EXPECT_NEAR(pair.ss, dot(s, s), 1e-12 * pair.ss);
    EXPECT_NEAR(pair.sy, dot(s, y), 1e-12 * pair.ss);
    EXPECT_NEAR(pair.yy, dot(y, y), 1e-12 * pair.yy);
    if (i % 3 != 1) {
      h.history.keep();
      expected.s.push_back(s);
      expected.y.push_back(y);
      if (expected.s.size() > kCapacity) {
        expected.s.pop_front();
        expected.y.pop_front();
      }
    }
    ASSERT_EQ(h.history.pairs(), static_cast<int>(expected.s.size()));

    const double gamma = 0.5 + 0.1 * i;
    const LbfgsHistory::Direction direction = h.history.direction(gamma, h.grad, h.out);
    const std::vector<double> out = h.read(h.out);
    const std::vector<double> reference = expected.direction(gamma, grad);
    EXPECT_TRUE(close(out, reference, {.element = 1e-12, .norm = 1e-12}));
    EXPECT_NEAR(direction.slope, dot(reference, grad), 1e-10 * std::abs(direction.slope));
    EXPECT_NEAR(direction.norm_squared, dot(reference, reference), 1e-10 * direction.norm_squared);
  }
}

TEST(LbfgsHistory, AgreesWithTheTwoLoopRecursion) { expect_two_loop_recursion(LbfgsHistory::Digits::kAll); }

TEST(LbfgsHistory, RoundedPairsAgreeWithTheTwoLoopRecursionOverThem) { expect_two_loop_recursion(LbfgsHistory::Digits::kCompact); }

class LbfgsHistoryOf : public testing::TestWithParam<LbfgsHistory::Digits> {};
INSTANTIATE_TEST_SUITE_P(, LbfgsHistoryOf, testing::Values(LbfgsHistory::Digits::kAll, LbfgsHistory::Digits::kCompact));

TEST_P(LbfgsHistoryOf, ClearForgetsEverything) {
  History h(GetParam());
  const std::vector<double> v = normal(1, kSize);
  for (int i = 0; i < 2; ++i) {
    h.backend->upload(v, h.history.offered_step());
    h.backend->upload(v, h.history.offered_change());
    h.backend->upload(v, h.grad);
    h.history.measure(h.grad);
    h.history.keep();
    h.history.clear();
    EXPECT_EQ(h.history.pairs(), 0);
    h.history.direction(2.0, h.grad, h.out);
    const std::vector<double> out = h.read(h.out);
    for (int j = 0; j < kSize; ++j) EXPECT_EQ(out[j], -2.0 * v[j]);
  }
}

}  // namespace
}  // namespace impasto
