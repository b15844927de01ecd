#include "engine/preconditioner.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/random.h"

namespace impasto {
namespace {

using testing_support::normal;

// What stands for an inverse of curvatures must be symmetric, and definite or it would be
// blind to some pictures.
TEST(Preconditioner, IsSymmetricAndPositiveDefinite) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceDouble});
  for (const Shape shape : {Shape{3, 1, 1}, Shape{3, 1, 7}, Shape{3, 13, 10}, Shape{3, 40, 33}}) {
    Workspace workspace(*backend, 1 << 20);
    Preconditioner preconditioner(*backend, shape, workspace);
    const Vector in = workspace.vector(shape.size(), "test");
    const Vector out = workspace.vector(shape.size(), "test");
    const auto apply = [&](const std::vector<double>& v) {
      backend->upload(v, in);
      preconditioner.apply(in, out);
      std::vector<double> result(v.size());
      backend->download(out, result);
      return result;
    };
    const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const std::vector<double> u = normal(1, shape.size());
    const std::vector<double> v = normal(2, shape.size());
    EXPECT_NEAR(dot(apply(u), v), dot(u, apply(v)), 1e-11 * shape.size());
    EXPECT_GE(dot(apply(u), u), dot(u, u) * (1 - 1e-12));

    // The coarsest scale, a constant, is amplified most.
    const std::vector<double> constant(shape.size(), 1.0);
    const double most = Preconditioner::kGain.back();
    for (const double a : apply(constant)) EXPECT_NEAR(a, most, 1e-12 * most);
  }
}

}  // namespace
}  // namespace impasto
