#include "engine/workspace.h"

#include <gtest/gtest.h>

namespace impasto {
namespace {

TEST(Workspace, ServesWhatWasMeasured) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceDouble});
  const auto take = [](Workspace& workspace) {
    return std::array{workspace.vector(3, "a"), workspace.vector(100, "b"), workspace.vector(1, "a")};
  };
  Workspace measure(*backend);
  EXPECT_EQ(take(measure)[0].data, nullptr);

  Workspace workspace(*backend, measure.bytes());
  const auto vectors = take(workspace);
  EXPECT_EQ(workspace.bytes(), measure.bytes());
  for (const Vector& v : vectors) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(v.data) % sizeof(double), 0u);
  EXPECT_GE(static_cast<double*>(vectors[1].data) - static_cast<double*>(vectors[0].data), 3);
  EXPECT_GE(static_cast<double*>(vectors[2].data) - static_cast<double*>(vectors[1].data), 100);
  EXPECT_THROW(workspace.vector(1, "c"), std::logic_error);
}

TEST(Workspace, AddsUpByPurpose) {
  const auto backend = make_backend({.kind = BackendKind::kReferenceFloat});
  Workspace measure(*backend);
  measure.take(1, "small");
  measure.take(1000, "large");
  measure.take(1, "small");
  const std::vector<MemoryUse> uses = measure.uses();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].purpose, "large");
  EXPECT_EQ(uses[1].purpose, "small");
  EXPECT_EQ(uses[1].bytes, 2 * Workspace::kAlignment);
  EXPECT_EQ(uses[0].bytes + uses[1].bytes, measure.bytes());
}

}  // namespace
}  // namespace impasto
