#include "engine/workspace.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace impasto {

void* Workspace::take(std::int64_t bytes, const char* purpose) {
  const std::int64_t aligned = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (!measuring_ && used_ + aligned > memory_.bytes()) throw std::logic_error("workspace smaller than the measuring pass said");
  void* const data = measuring_ ? nullptr : static_cast<std::byte*>(memory_.data()) + used_;
  used_ += aligned;
  count(aligned, purpose);
  return data;
}

void Workspace::count(std::int64_t bytes, const char* purpose) {
  if (bytes == 0) return;
  const auto use = std::find_if(uses_.begin(), uses_.end(), [&](const MemoryUse& u) { return u.purpose == purpose; });
  if (use == uses_.end()) {
    uses_.push_back({purpose, bytes});
  } else {
    use->bytes += bytes;
  }
}

std::vector<MemoryUse> Workspace::uses() const {
  std::vector<MemoryUse> sorted = uses_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const MemoryUse& a, const MemoryUse& b) { return a.bytes > b.bytes; });
  return sorted;
}

}  // namespace impasto
