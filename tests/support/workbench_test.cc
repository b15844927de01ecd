#include "tests/support/workbench.h"

#include <gtest/gtest.h>

#include <cmath>

namespace impasto::testing_support {
namespace {

std::unique_ptr<Backend> float_reference() {
  BackendOptions options;
  options.kind = BackendKind::kReferenceFloat;
  return make_backend(options);
}

class WorkbenchTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = float_reference();
  Workbench bench_{*backend_};
};

TEST_F(WorkbenchTest, IsUndamagedByWritesInside) {
  const Vector v = bench_.vector(std::vector<double>{1, 2, 3});
  const Mask m = bench_.mask({1, 1, 5});
  static_cast<std::uint8_t*>(m.data)[0] = static_cast<std::uint8_t*>(m.data)[4] = 0;
  EXPECT_EQ(bench_.read(v), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_F(WorkbenchTest, SeesOneByteWrittenPastEitherEnd) {
  const Mask m = bench_.mask({1, 1, 5});
  auto* bytes = static_cast<std::uint8_t*>(m.data);
  for (int at : {-1, -1024, 5, 5 + 1023}) {
    bytes[at] ^= 1;
    EXPECT_NE(bench_.damage(), "") << at;
    bytes[at] ^= 1;
    EXPECT_EQ(bench_.damage(), "") << at;
  }
}

TEST_F(WorkbenchTest, MemoryStartsAsNan) {
  for (double value : bench_.read(bench_.features({2, 3, 4}))) EXPECT_TRUE(std::isnan(value));
  for (double value : bench_.read(bench_.results(3), 3)) EXPECT_TRUE(std::isnan(value));
}

TEST_F(WorkbenchTest, OtherPoisonIsFinite) {
  Workbench other(*backend_, Workbench::Poison::kNumbers);
  for (double value : other.read(other.vector(5))) EXPECT_TRUE(std::isfinite(value) && value != 0);
}

}  // namespace
}  // namespace impasto::testing_support
