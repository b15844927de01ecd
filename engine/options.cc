#include "impasto/options.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/vgg19.h"
#include "impasto/error.h"

namespace impasto {
namespace {

void require(bool good, const char* field, double value, const char* accepted) {
  if (!good) throw OptionError(std::string(field) + " is " + std::to_string(value) + "; accepted: " + accepted);
}

void require_weight(const char* field, double value) { require(std::isfinite(value) && value >= 0, field, value, "finite numbers >= 0"); }

void require_layers(const char* field, const std::vector<std::string>& layers) {
  if (layers.empty()) throw OptionError(std::string(field) + " is empty; accepted: at least one of conv1_1 ... relu5_4");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    tap_named(layers[i]);
    if (std::find(layers.begin(), layers.begin() + i, layers[i]) != layers.begin() + i) {
      throw OptionError(std::string(field) + " names " + layers[i] + " twice; accepted: each layer once");
    }
  }
}

}  // namespace

void StyleOptions::validate() const {
  require_layers("content_layers", content_layers);
  require_layers("style_layers", style_layers);
  require_weight("content_weight", content_weight);
  for (const double weight : style_weights) require_weight("style_weights", weight);
  if (style_weights.size() > 1 && style_weights.size() != style_layers.size()) {
    throw OptionError("style_weights has " + std::to_string(style_weights.size()) + " values for " + std::to_string(style_layers.size()) +
                      " style layers; accepted: none, one, or one per layer");
  }
  require_weight("tv_weight", tv_weight);
  double blend_sum = 0;
  for (const double share : style_blend) {
    require_weight("style_blend", share);
    blend_sum += share;
  }
  if (!style_blend.empty()) require(blend_sum > 0, "the sum of style_blend", blend_sum, "numbers > 0");
  require(iterations >= 0, "iterations", iterations, "0 or more");
  require(history >= 1 && history <= 10000, "history", history, "1 to 10000");
  if (learning_rate) require(std::isfinite(*learning_rate) && *learning_rate > 0, "learning_rate", *learning_rate, "finite numbers > 0");
  require_weight("gradient_tolerance", gradient_tolerance);
  require_weight("change_tolerance", change_tolerance);
}

}  // namespace impasto
