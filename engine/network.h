// One VGG19, ready for pictures of any size: its filters in a backend's memory and what is known of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/weight_store.h"
#include "kernels/backend.h"

namespace impasto {

// Immutable after construction. Must not outlive its backend.
class Network {
 public:
  // Throws WeightError as read_weights does, std::bad_alloc or DeviceError.
  static Network open(Backend& backend, const std::string& path);
  // See draw_untrained_weights.
  static Network untrained(Backend& backend, std::uint64_t seed);

  // Of kVgg19[layer].
  const Filters& filters(int layer) const { return *filters_[layer]; }
  const NetworkInput& input() const { return header_.input; }
  const NetworkInfo& info() const { return header_.info; }

 private:
  TakeLayer load_into(Backend& backend);

  NetworkHeader header_;
  std::array<std::unique_ptr<Filters>, kVgg19.size()> filters_;
};

}  // namespace impasto
