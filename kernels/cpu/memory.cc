#include "kernels/cpu/memory.h"

#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace impasto::cpu {
namespace {

constexpr std::int64_t kHugePage = std::int64_t{2} << 20;

void free_memory(void* data, std::int64_t) { std::free(data); }

}  // namespace

Buffer allocate(std::int64_t bytes) {
  if (bytes < 0 || bytes > std::numeric_limits<std::int64_t>::max() - kHugePage) throw std::bad_alloc();
  const std::int64_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const std::int64_t whole = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
  void* const data = std::aligned_alloc(static_cast<std::size_t>(alignment), static_cast<std::size_t>(whole));
  if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Advice only: without huge pages everything works, some 5% slower.
  if (alignment == kHugePage) (void)madvise(data, static_cast<std::size_t>(whole), MADV_HUGEPAGE);
#endif
  return Buffer(data, bytes, free_memory);
}

}  // namespace impasto::cpu
