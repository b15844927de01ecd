// One VGG19, ready for pictures of any size: its filters in a backend's memory and what is known of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/weight_store.h"
#include "kernels/backend.h"

namespace impasto {

// Must not outlive its backend.
class Network {
 public:
  // Hands over all layers of a network, in order, each time it is called.
  using Source = std::function<NetworkHeader(const TakeLayer&)>;

  // Throws what source does, DeviceError or OutOfMemoryError.
  Network(Backend& backend, Source source);
  // Throws WeightError as read_weights does.
  static Network open(Backend& backend, const std::string& path);
  // See draw_untrained_weights.
  static Network untrained(Backend& backend, std::uint64_t seed);

  // Of kVgg19[layer]. The layers past the last one that the losses use by default, 28 MB, are loaded when one is first asked for, from the
  // source again. Throws as the constructor, and WeightError when it is another network by now.
  const Filters& filters(int layer);
  // Activations are those of the file's network times this: 1, or where the backend's Features have binary16's range a power of two.
  double activation_scale() const { return activation_scale_; }
  const NetworkInput& input() const { return header_.input; }
  const NetworkInfo& info() const { return header_.info; }

 private:
  NetworkHeader load(int first, int last);

  Backend* backend_;
  Source source_;
  double activation_scale_;
  std::array<std::unique_ptr<Filters>, kVgg19.size()> filters_;
  NetworkHeader header_;
};

}  // namespace impasto
