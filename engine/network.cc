#include "engine/network.h"

namespace impasto {

Network Network::open(Backend& backend, const std::string& path) {
  Network network;
  network.header_ = read_weights(path, network.load_into(backend));
  return network;
}

Network Network::untrained(Backend& backend, std::uint64_t seed) {
  Network network;
  network.header_ = draw_untrained_weights(seed, network.load_into(backend));
  return network;
}

TakeLayer Network::load_into(Backend& backend) {
  return [this, &backend](int layer, const std::vector<float>& weight, const std::vector<float>& bias) {
    const ConvLayer& conv = kVgg19[layer];
    filters_[layer] = backend.load_filters({conv.in_channels, conv.out_channels, layer == 0, weight, bias});
  };
}

}  // namespace impasto
