#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "impasto/session.h"
#include "tests/support/random.h"

namespace {
std::atomic<long> allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace impasto {
namespace {

Image picture(int width, int height, std::uint64_t seed) {
  const std::vector<double> values = testing_support::uniform(seed, 3 * width * height, 0, 1);
  return {width, height, {values.begin(), values.end()}};
}

// Between the second evaluation and the last nothing is allocated, whichever optimiser runs, while L-BFGS's history fills and overflows.
TEST(Allocation, TheLoopAllocatesNothing) {
  Session session = Session::untrained(1, {.device = Device::kCpu, .threads = 2});
  const std::vector<Image> styles = {picture(20, 26, 2)};
  for (const Optimizer optimizer : {Optimizer::kLbfgs, Optimizer::kLbfgsTorch, Optimizer::kLbfgsWolfe, Optimizer::kAdam}) {
    StyleOptions options;
    options.optimizer = optimizer;
    options.iterations = 12;
    options.history = 4;
    options.tv_weight = 1;
    long after_second = 0;
    long after_last = 0;
    session.stylize(picture(24, 20, 1), styles, options, [&](const Progress& progress) {
      if (progress.evaluation.index == 2) after_second = allocations;
      after_last = allocations;
      return true;
    });
    EXPECT_GT(after_second, 0);
    EXPECT_EQ(after_last, after_second) << "optimiser " << static_cast<int>(optimizer);
  }
}

}  // namespace
}  // namespace impasto
