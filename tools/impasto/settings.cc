#include "tools/impasto/settings.h"

#include <cstdlib>

namespace impasto::command {

namespace {

// Gatys' own PyTorch notebook (github.com/leongatys/PytorchNeuralStyleTransfer), first stage. Its style weights are 1e3 / C_l^2: the 1 /
// C_l^2 is part of our loss. Its pictures were reduced without antialiasing: with it the first loss is a quarter smaller and the run does
// not repeat.
void apply_gatys(Settings& settings) {
  settings.sizing = {Sizing::Rule::kShorterSide, 512, Filter::kBilinear, /*antialias=*/false};
  StyleOptions& style = settings.style;
  style.content_layers = {"relu4_2"};
  style.style_layers = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"};
  style.content_weight = 1.0;
  style.style_weights = std::vector<double>(5, 1e3);
  style.tv_weight = 0.0;
  style.pooling = Pooling::kMax;
  style.init = Init::kContent;
  style.optimizer = Optimizer::kLbfgsTorch;
  style.learning_rate.reset();
  style.history = 100;
  style.iterations = 500;
}

template <typename T, typename U>
void take(const std::optional<T>& given, U& field) {
  if (given) field = *given;
}

}  // namespace

void apply(Preset preset, const Overrides& overrides, Settings& settings) {
  settings.preset = preset;
  if (preset == Preset::kGatys) apply_gatys(settings);

  take(overrides.rule, settings.sizing.rule);
  take(overrides.pixels, settings.sizing.pixels);
  take(overrides.filter, settings.sizing.filter);
  take(overrides.antialias, settings.sizing.antialias);
  StyleOptions& style = settings.style;
  take(overrides.optimizer, style.optimizer);
  take(overrides.iterations, style.iterations);
  take(overrides.history, style.history);
  take(overrides.content_weight, style.content_weight);
  take(overrides.content_layers, style.content_layers);
  if (overrides.style_layers) {
    style.style_layers = *overrides.style_layers;
    // A preset's weight for every layer holds for layers of the user's choice as well.
    if (!style.style_weights.empty()) {
      const double every = style.style_weights.front();
      style.style_weights.assign(1, every);
    }
  }
  take(overrides.style_weights, style.style_weights);
  take(overrides.pooling, style.pooling);
  take(overrides.init, style.init);
  take(overrides.tv_weight, style.tv_weight);
}

std::string to_string(Preset preset) { return preset == Preset::kGatys ? "gatys" : "none"; }

std::string to_string(Optimizer optimizer) {
  switch (optimizer) {
    case Optimizer::kLbfgs:
      return "lbfgs";
    case Optimizer::kLbfgsTorch:
      return "lbfgs-torch";
    case Optimizer::kLbfgsWolfe:
      return "lbfgs-wolfe";
    case Optimizer::kAdam:
      return "adam";
  }
  return "";
}

std::string to_string(Pooling pooling) { return pooling == Pooling::kMax ? "max" : "average"; }

std::string cuda_module() {
  const char* path = std::getenv("IMPASTO_CUDA_MODULE");
  return path == nullptr ? "" : path;
}

std::string plan_cache() {
  const auto folder = [](const char* name) {
    const char* path = std::getenv(name);
    // The XDG specification has paths that are not absolute ignored.
    return path == nullptr || *path != '/' ? "" : std::string(path);
  };
  constexpr const char* kName = "/impasto/cuda-plans.json";
  if (const std::string cache = folder("XDG_CACHE_HOME"); !cache.empty()) return cache + kName;
  const std::string home = folder("HOME");
  return home.empty() ? "" : home + "/.cache" + kName;
}

std::string to_string(Device device) {
  switch (device) {
    case Device::kAuto:
      return "auto";
    case Device::kCpu:
      return "cpu";
    case Device::kCuda:
      return "cuda";
    case Device::kReference:
      return "reference";
    case Device::kReferenceFloat:
      return "reference-float";
  }
  return "";
}

std::string init_name(const Settings& settings) {
  switch (settings.style.init) {
    case Init::kContent:
      return "content";
    case Init::kRandom:
      return "random";
    case Init::kPicture:
      return settings.init_picture;
  }
  return "";
}

std::string filter_name(const Sizing& sizing) {
  switch (sizing.filter) {
    case Filter::kLanczos:
      return "lanczos";
    case Filter::kBicubic:
      return "bicubic";
    case Filter::kBilinear:
      return sizing.antialias ? "bilinear" : "bilinear-aliased";
  }
  return "";
}

std::string to_string(const Sizing& sizing) {
  const std::string pixels = std::to_string(sizing.pixels);
  switch (sizing.rule) {
    case Sizing::Rule::kMaxWidth:
      return sizing.pixels == 0 ? "original" : "at most " + pixels + " wide";
    case Sizing::Rule::kLongerSide:
      return "longer side " + pixels;
    case Sizing::Rule::kShorterSide:
      return "shorter side " + pixels;
  }
  return "";
}

}  // namespace impasto::command
