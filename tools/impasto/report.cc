#include "tools/impasto/report.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <numeric>

namespace impasto::command {

namespace {

using Json = nlohmann::ordered_json;

// Paths may hold any bytes; JSON is UTF-8.
std::string dump(const Json& json, int indent = -1) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

Json by_layer(const std::vector<std::string>& layers, const std::vector<double>& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < layers.size() && i < values.size(); ++i) json[layers[i]] = values[i];
  return json;
}

Json size_json(Size size) { return {{"width", size.width}, {"height", size.height}}; }

std::vector<double> resolved_blend(const Settings& settings) {
  std::vector<double> blend = settings.style.style_blend;
  if (blend.empty()) blend.assign(settings.styles.size(), 1.0);
  const double sum = std::accumulate(blend.begin(), blend.end(), 0.0);
  for (double& share : blend) share /= sum;
  return blend;
}

Json resolved_learning_rate(const StyleOptions& style) {
  if (style.learning_rate) return *style.learning_rate;
  if (style.optimizer == Optimizer::kLbfgsTorch) return 1.0;
  if (style.optimizer == Optimizer::kAdam) return 10.0;
  return nullptr;
}

// The settings that the picture depends on.
Json picture_settings(const Settings& settings, const Inputs& inputs) {
  const StyleOptions& style = settings.style;
  Json json;
  json["preset"] = to_string(settings.preset);
  json["size"] = to_string(settings.sizing);
  json["filter"] = filter_name(settings.sizing);
  json["iterations"] = style.iterations;
  json["optimizer"] = to_string(style.optimizer);
  json["history"] = style.history;
  json["learning_rate"] = resolved_learning_rate(style);
  json["gradient_tolerance"] = style.gradient_tolerance;
  json["change_tolerance"] = style.change_tolerance;
  json["content_weight"] = style.content_weight;
  json["content_layers"] = style.content_layers;
  json["style_weights"] =
      inputs.style_weights.empty() ? Json("from the style pictures") : by_layer(style.style_layers, inputs.style_weights);
  json["style_blend"] = resolved_blend(settings);
  json["tv_weight"] = style.tv_weight;
  json["pooling"] = to_string(style.pooling);
  json["init"] = style.init == Init::kPicture ? "picture" : init_name(settings);
  json["seed"] = style.seed;
  json["tile"] = settings.session.tile;
  json["precision"] = to_string(settings.session.precision);
  json["untrained"] = settings.untrained;
  return json;
}

Json every_setting(const Settings& settings, const Inputs& inputs) {
  Json json = picture_settings(settings, inputs);
  if (settings.style.init == Init::kPicture) json["init"] = settings.init_picture;
  json["device"] = to_string(settings.session.device);
  json["autotune"] = settings.session.autotune;
  json["threads"] = settings.session.threads;
  json["cpu_isa"] = settings.session.cpu_isa.empty() ? "best" : settings.session.cpu_isa;
  json["bit_depth"] = settings.bit_depth;
  json["quality"] = settings.quality;
  json["max_pixels"] = settings.max_pixels;
  json["save_every"] = settings.save_every;
  return json;
}

Json input_json(const InputFile& file) {
  return {{"path", file.path}, {"sha256", file.sha256}, {"original_size", size_json(file.original)}, {"size", size_json(file.working)}};
}

Json network_json(const Inputs& inputs) {
  const NetworkInfo& network = inputs.network;
  return {{"path", inputs.weights_path.empty() ? Json(nullptr) : Json(inputs.weights_path)},
          {"sha256", inputs.weights_sha256.empty() ? Json(nullptr) : Json(inputs.weights_sha256)},
          {"source", network.source},
          {"source_sha256", network.source_sha256},
          {"licence", network.licence},
          {"input_scale", network.input_scale},
          {"untrained", network.untrained}};
}

Json evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& style_layers) {
  return {{"index", evaluation.index},
          {"seconds", evaluation.seconds},
          {"elapsed", evaluation.elapsed},
          {"total", evaluation.losses.total},
          {"content", evaluation.losses.content},
          {"style", by_layer(style_layers, evaluation.losses.style)},
          {"tv", evaluation.losses.tv},
          {"gradient_rms", evaluation.gradient_rms}};
}

}  // namespace

std::vector<double> known_style_weights(const StyleOptions& style, const NetworkInfo& network) {
  const std::size_t layers = style.style_layers.size();
  if (style.style_weights.empty()) return network.default_style_weights(layers);
  if (style.style_weights.size() == 1) return std::vector<double>(layers, style.style_weights[0]);
  return style.style_weights;
}

std::string report_json(const Settings& settings, const Inputs& inputs, const Result& result, std::int64_t peak_memory_bytes) {
  Json json;
  json["impasto"] = version();
  json["output"] = settings.output.empty() ? Json(nullptr) : Json(settings.output);
  json["size"] = size_json(inputs.content.working);
  json["settings"] = every_setting(settings, inputs);
  json["content"] = input_json(inputs.content);
  json["styles"] = Json::array();
  for (const InputFile& style : inputs.styles) json["styles"].push_back(input_json(style));
  if (inputs.init) json["init"] = input_json(*inputs.init);
  json["weights"] = network_json(inputs);
  json["device"] = inputs.device;
  json["evaluations"] = Json::array();
  for (const Evaluation& evaluation : result.evaluations) {
    json["evaluations"].push_back(evaluation_json(evaluation, settings.style.style_layers));
  }
  json["notices"] = result.notices;
  json["stop_reason"] = to_string(result.stop_reason);
  json["peak_memory_bytes"] = peak_memory_bytes;
  return dump(json, 1) + "\n";
}

std::map<std::string, std::string> picture_metadata(const Settings& settings, const Inputs& inputs) {
  std::map<std::string, std::string> metadata;
  metadata["Software"] = "impasto " + version();
  metadata["impasto:settings"] = dump(picture_settings(settings, inputs));
  metadata["impasto:content_sha256"] = inputs.content.sha256;
  std::string styles;
  for (const InputFile& style : inputs.styles) styles += (styles.empty() ? "" : " ") + style.sha256;
  metadata["impasto:style_sha256"] = styles;
  if (inputs.init) metadata["impasto:init_sha256"] = inputs.init->sha256;
  if (inputs.network.untrained) {
    metadata["impasto:network"] = "untrained: random filters, not a trained VGG19";
  } else {
    metadata["impasto:network"] = inputs.network.source;
    metadata["impasto:weights_sha256"] = inputs.weights_sha256;
  }
  return metadata;
}

std::string settings_text(const Settings& settings, const Inputs& inputs) {
  std::string text;
  const Json json = every_setting(settings, inputs);
  for (const auto& [name, value] : json.items()) text += name + ": " + (value.is_string() ? value.get<std::string>() : dump(value)) + "\n";
  return text;
}

std::string progress_json(const Evaluation& evaluation, const std::vector<std::string>& style_layers, int iterations, double remaining) {
  Json json = evaluation_json(evaluation, style_layers);
  json["iterations"] = iterations;
  json["remaining"] = remaining;
  return dump(json);
}

std::string report_library() {
  return "nlohmann-json " + std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + "." + std::to_string(NLOHMANN_JSON_VERSION_MINOR) + "." +
         std::to_string(NLOHMANN_JSON_VERSION_PATCH);
}

}  // namespace impasto::command
