#include "engine/network.h"

#include <string_view>
#include <utility>
#include <vector>

#include "impasto/error.h"

namespace impasto {
namespace {

// Up to conv5_1.
constexpr int kUsualLayers = 13;
static_assert(kVgg19[kUsualLayers - 1].name == std::string_view("conv5_1"));

// Activations of a million still fit then, those near 1 keep all digits down to a thousandth (docs/precision.md).
constexpr float kHalfRangeScale = 0x1p-4f;

std::vector<float> scaled(std::vector<float> values, float scale) {
  for (float& value : values) value *= scale;
  return values;
}

}  // namespace

Network Network::open(Backend& backend, const std::string& path) {
  return Network(backend, [path](const TakeLayer& take) { return read_weights(path, take); });
}

Network Network::untrained(Backend& backend, std::uint64_t seed) {
  return Network(backend, [seed](const TakeLayer& take) { return draw_untrained_weights(seed, take); });
}

Network::Network(Backend& backend, Source source)
    : backend_(&backend),
      source_(std::move(source)),
      activation_scale_(backend.has_half_range() ? kHalfRangeScale : 1),
      header_(load(0, kUsualLayers)) {}

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
    // ReLU and pooling of scaled numbers are scaled too, so one scale of the first layer's filters and all biases is all activations'.
    // Powers of two change no digit.
    const auto scale = static_cast<float>(activation_scale_);
    const std::vector<float> scaled_bias = scaled(bias, scale);
    const std::vector<float> scaled_weight = layer == 0 ? scaled(weight, scale) : std::vector<float>();
    filters_[layer] =
        backend_->load_filters({conv.in_channels, conv.out_channels, layer == 0, layer == 0 ? scaled_weight : weight, scaled_bias});
  });
}

}  // namespace impasto
