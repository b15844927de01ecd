#include "engine/network.h"

#include <string_view>
#include <utility>

#include "impasto/error.h"

namespace impasto {
namespace {

// Up to conv5_1.
constexpr int kUsualLayers = 13;
static_assert(kVgg19[kUsualLayers - 1].name == std::string_view("conv5_1"));

}  // namespace

Network Network::open(Backend& backend, const std::string& path) {
  return Network(backend, [path](const TakeLayer& take) { return read_weights(path, take); });
}

Network Network::untrained(Backend& backend, std::uint64_t seed) {
  return Network(backend, [seed](const TakeLayer& take) { return draw_untrained_weights(seed, take); });
}

Network::Network(Backend& backend, Source source) : backend_(&backend), source_(std::move(source)), header_(load(0, kUsualLayers)) {}

const Filters& Network::filters(int layer) {
  if (filters_[layer] == nullptr) {
    const NetworkInfo info = load(kUsualLayers, static_cast<int>(kVgg19.size())).info;
    if (info.source_sha256 != header_.info.source_sha256 || info.source != header_.info.source) {
      for (std::size_t i = kUsualLayers; i < filters_.size(); ++i) filters_[i].reset();
      throw WeightError("the weight file holds '" + info.source + "' now; expected '" + header_.info.source +
                        "', which it held when opened");
    }
  }
  return *filters_[layer];
}

NetworkHeader Network::load(int first, int last) {
  return source_([&](int layer, const std::vector<float>& weight, const std::vector<float>& bias) {
    if (layer < first || layer >= last) return;
    const ConvLayer& conv = kVgg19[layer];
    filters_[layer] = backend_->load_filters({conv.in_channels, conv.out_channels, layer == 0, weight, bias});
  });
}

}  // namespace impasto
