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
using testing_support::integers;
using testing_support::normal;

constexpr int kSize = 50;
constexpr int kCapacity = 4;

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// The two-loop recursion as the book has it, H0 = gamma M. [Nocedal & Wright 2006, algorithm 7.4]
struct TwoLoop {
  std::deque<std::vector<double>> s;
  std::deque<std::vector<double>> y;
  std::deque<std::vector<double>> my;  // M y

  std::vector<double> direction(double gamma, std::vector<double> q, const std::vector<double>& scaled_grad) const {
    std::vector<double> alpha(s.size());
    std::vector<double> r = scaled_grad;
    for (std::size_t i = s.size(); i-- > 0;) {
      alpha[i] = dot(s[i], q) / dot(s[i], y[i]);
      for (int j = 0; j < kSize; ++j) {
        q[j] -= alpha[i] * y[i][j];
        r[j] -= alpha[i] * my[i][j];
      }
    }
    for (double& v : r) v *= gamma;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const double beta = dot(y[i], r) / dot(s[i], y[i]);
      for (int j = 0; j < kSize; ++j) r[j] += (alpha[i] - beta) * s[i][j];
    }
    for (double& v : r) v = -v;
    return r;
  }
};

// M = diag(1, 2, 4, 1, 2, 4, ...), or the identity.
double scale(LbfgsHistory::Kind kind, int j) { return kind == LbfgsHistory::Kind::kPreconditioned ? 1 << j % 3 : 1; }
std::vector<double> scaled(LbfgsHistory::Kind kind, std::vector<double> v) {
  for (int j = 0; j < kSize; ++j) v[j] *= scale(kind, j);
  return v;
}
std::vector<double> unscaled(LbfgsHistory::Kind kind, std::vector<double> v) {
  for (int j = 0; j < kSize; ++j) v[j] /= scale(kind, j);
  return v;
}

struct History {
  explicit History(LbfgsHistory::Kind of) : History(make_backend({.kind = BackendKind::kReferenceDouble}), of) {}
  History(std::unique_ptr<Backend> made, LbfgsHistory::Kind of)
      : kind(of),
        backend(std::move(made)),
        workspace(*backend, 1 << 20),
        results(static_cast<std::size_t>(LbfgsHistory::result_count(kCapacity))),
        results_there(static_cast<double*>(workspace.take(std::ssize(results) * std::int64_t{sizeof(double)}, "test"))),
        history(*backend, kSize, kCapacity, of, {results_there, results.data()}, workspace),
        grad(workspace.vector(kSize, "test")),
        scaled_grad(workspace.vector(kSize, "test")),
        step(workspace.vector(kSize, "test")),
        change(workspace.vector(kSize, "test")),
        scaled_change(workspace.vector(kSize, "test")),
        out(workspace.vector(kSize, "test")) {}

  // Offers s = scale * direction, y and M y, and measures; returns s.
  std::vector<double> offer(double scale, const std::vector<double>& direction, const std::vector<double>& y,
                            const std::vector<double>& my) {
    std::vector<double> s = direction;
    for (double& v : s) v *= scale;
    if (kind == LbfgsHistory::Kind::kPlain) {
      backend->upload(s, history.offered_step());
      backend->upload(y, history.offered_change());
      history.measure(grad);
      backend->fetch(results_there, results);
      pair = history.measured();
      return s;
    }
    backend->upload(direction, step);
    backend->upload(y, change);
    backend->upload(my, scaled_change);
    history.round_step(step);
    history.measure(change, scaled_change, grad, scaled_grad);
    backend->fetch(results_there, results);
    pair = history.measured(scale);
    return s;
  }

  std::vector<double> read(Vector v) const {
    std::vector<double> values(kSize);
    backend->download(v, values);
    return values;
  }

  LbfgsHistory::Kind kind;
  std::unique_ptr<Backend> backend;
  Workspace workspace;
  std::vector<double> results;
  double* results_there;
  LbfgsHistory history;
  LbfgsHistory::Curvature pair{};
  Vector grad;
  Vector scaled_grad;
  Vector step;
  Vector change;
  Vector scaled_change;
  Vector out;
};

// Through filling, full and forgetting, with pairs that are offered and not kept in between.
void expect_two_loop_recursion(LbfgsHistory::Kind kind) {
  History h(kind);
  TwoLoop expected;
  for (int i = 0; i < 3 * kCapacity; ++i) {
    // Whole numbers with the largest digit among them, which rounding leaves as they are.
    std::vector<double> direction = integers(10 + i, kSize, -2, 2);
    std::vector<double> my = integers(100 + i, kSize, -30, 30);
    for (int j = 0; j < kSize; ++j) my[j] += (1 + j % 15) * direction[j];
    direction[0] = my[0] = Backend::kCompactDigits;
    std::vector<double> y = unscaled(kind, my);
    const std::vector<double> grad = normal(1000 + i, kSize);
    h.backend->upload(grad, h.grad);
    h.backend->upload(scaled(kind, grad), h.scaled_grad);

    const std::vector<double> s = h.offer(0.25 * (1 + i), direction, y, my);
    EXPECT_NEAR(h.pair.sy, dot(s, y), 1e-12 * dot(s, s));
    EXPECT_NEAR(h.pair.ymy, dot(y, my), 1e-12 * h.pair.ymy);
    if (i % 3 != 1) {
      h.history.keep();
      expected.s.push_back(s);
      expected.y.push_back(y);
      expected.my.push_back(my);
      if (expected.s.size() > kCapacity) {
        expected.s.pop_front();
        expected.y.pop_front();
        expected.my.pop_front();
      }
    }
    ASSERT_EQ(h.history.pairs(), static_cast<int>(expected.s.size()));

    const double gamma = 0.5 + 0.1 * i;
    const double slope = h.history.direction(gamma, h.scaled_grad, h.out);
    const std::vector<double> out = h.read(h.out);
    const std::vector<double> reference = expected.direction(gamma, grad, scaled(kind, grad));
    EXPECT_TRUE(close(out, reference, {.element = 1e-12, .norm = 1e-12}));
    EXPECT_NEAR(slope, dot(reference, grad), 1e-10 * std::abs(slope));
  }
}

TEST(LbfgsHistory, AgreesWithTheTwoLoopRecursion) { expect_two_loop_recursion(LbfgsHistory::Kind::kPlain); }

TEST(LbfgsHistory, AgreesWithThePreconditionedTwoLoopRecursion) { expect_two_loop_recursion(LbfgsHistory::Kind::kPreconditioned); }

TEST(LbfgsHistory, RemembersPreconditionedPairsRounded) {
  History h(LbfgsHistory::Kind::kPreconditioned);
  const std::vector<double> s = normal(1, kSize);
  const std::vector<double> my = normal(2, kSize);
  h.backend->upload(s, h.grad);
  h.backend->upload(s, h.scaled_grad);
  h.offer(3.0, s, s, my);
  const std::vector<double> rounded = h.read(h.step);
  const std::vector<double> rounded_my = h.read(h.scaled_change);
  for (const auto& [after, before] : {std::pair(rounded, s), std::pair(rounded_my, my)}) {
    EXPECT_NE(after, before);
    EXPECT_TRUE(close(after, before, {.element = 2e-2, .norm = 1e-2}));
  }
  EXPECT_EQ(h.read(h.change), s);
  EXPECT_NEAR(h.pair.sy, 3 * dot(rounded, s), 1e-12 * h.pair.sy);
  EXPECT_NEAR(h.pair.ymy, dot(s, rounded_my), 1e-12 * dot(s, s));
}

class LbfgsHistoryOf : public testing::TestWithParam<LbfgsHistory::Kind> {};
INSTANTIATE_TEST_SUITE_P(, LbfgsHistoryOf, testing::Values(LbfgsHistory::Kind::kPlain, LbfgsHistory::Kind::kPreconditioned));

TEST_P(LbfgsHistoryOf, ClearForgetsEverything) {
  History h(GetParam());
  const std::vector<double> v = normal(1, kSize);
  for (int i = 0; i < 2; ++i) {
    h.backend->upload(v, h.grad);
    h.backend->upload(v, h.scaled_grad);
    h.offer(1.0, v, v, v);
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
