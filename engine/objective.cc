#include "engine/objective.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <string>

#include "impasto/error.h"

namespace impasto {
namespace {

PoolKind pool_kind(Pooling pooling) { return pooling == Pooling::kMax ? PoolKind::kMax : PoolKind::kAverage; }

std::vector<Tap> taps_named(std::span<const std::string> names) {
  std::vector<Tap> taps;
  for (const std::string& name : names) taps.push_back(tap_named(name));
  return taps;
}

// Layers of both losses, each once.
std::vector<Tap> all_taps(const StyleOptions& options) {
  std::vector<Tap> taps = taps_named(options.style_layers);
  for (const Tap& tap : taps_named(options.content_layers)) {
    if (std::find(taps.begin(), taps.end(), tap) == taps.end()) taps.push_back(tap);
  }
  return taps;
}

int index_of(std::span<const Tap> taps, Tap tap) { return static_cast<int>(std::find(taps.begin(), taps.end(), tap) - taps.begin()); }

std::vector<double> blend_shares(std::span<const Image> styles, const std::vector<double>& blend) {
  if (styles.empty()) throw OptionError("no style picture; at least one is needed");
  if (blend.empty()) return std::vector<double>(styles.size(), 1.0 / styles.size());
  if (blend.size() != styles.size()) {
    throw OptionError("style_blend has " + std::to_string(blend.size()) + " values for " + std::to_string(styles.size()) +
                      " style pictures; expected one per picture");
  }
  const double sum = std::accumulate(blend.begin(), blend.end(), 0.0);
  std::vector<double> shares = blend;
  for (double& share : shares) share /= sum;
  return shares;
}

Shape shape_of(const Image& image) { return {3, image.height, image.width}; }

// A style picture on its way through the network.
struct StyleRun {
  StyleRun(Backend& backend, Network& network, const Image& style, const StyleOptions& options, std::span<const Tap> taps,
           Workspace& workspace)
      : net(backend, network, shape_of(style), pool_kind(options.pooling), taps, FeatureNet::Purpose::kFeatures, workspace),
        pixels(workspace.vector(shape_of(style).size(), "style picture")),
        gram(workspace.vector(kLargestGram, "Gram matrix of the style picture")) {}

  static constexpr std::int64_t kLargestGram = 512 * 512;
  FeatureNet net;
  Vector pixels;
  Vector gram;
};

std::vector<Vector> take_grams(std::span<const Tap> taps, Workspace& workspace) {
  std::vector<Vector> grams;
  for (const Tap& tap : taps) {
    const std::int64_t c = kVgg19[tap.layer].out_channels;
    grams.push_back(workspace.vector(c * c, "style targets"));
  }
  return grams;
}

std::int64_t style_run_bytes(Backend& backend, Network& network, const Image& style, const StyleOptions& options,
                             std::span<const Tap> taps) {
  Workspace measure(backend);
  StyleRun(backend, network, style, options, taps, measure);
  return measure.bytes();
}

}  // namespace

StyleTargets::StyleTargets(Backend& backend, Network& network, std::span<const Image> styles, const StyleOptions& options)
    : workspace_(backend, held_bytes(backend, options)) {
  const std::vector<double> shares = blend_shares(styles, options.style_blend);
  const std::vector<Tap> taps = taps_named(options.style_layers);
  grams_ = take_grams(taps, workspace_);
  for (std::size_t s = 0; s < styles.size(); ++s) {
    const std::vector<double> pixels = preprocess(styles[s], network.input());
    Workspace workspace(backend, style_run_bytes(backend, network, styles[s], options, taps));
    StyleRun run(backend, network, styles[s], options, taps, workspace);
    backend.upload(pixels, run.pixels);
    run.net.forward(run.pixels);
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const Vector gram = {run.gram.data, grams_[i].size};
      backend.gram(run.net.tap(i), gram, run.net.scratch());
      if (s == 0) {
        backend.combine(std::array{shares[s]}, std::array{gram}, grams_[i]);
      } else {
        backend.combine(std::array{1.0, shares[s]}, std::array{grams_[i], gram}, grams_[i]);
      }
    }
    // The workspace goes before a device may be done with it.
    double waited_for = 0;
    backend.download(Vector{grams_.front().data, 1}, std::span(&waited_for, 1));
  }
}

std::int64_t StyleTargets::held_bytes(Backend& backend, const StyleOptions& options) {
  Workspace measure(backend);
  take_grams(taps_named(options.style_layers), measure);
  return measure.bytes();
}

std::int64_t StyleTargets::peak_bytes(Backend& backend, Network& network, std::span<const Image> styles, const StyleOptions& options) {
  const std::vector<Tap> taps = taps_named(options.style_layers);
  std::int64_t peak = 0;
  for (const Image& style : styles) peak = std::max(peak, style_run_bytes(backend, network, style, options, taps));
  return peak;
}

std::vector<double> resolved_style_weights(Backend& backend, const NetworkInfo& network, const StyleOptions& options,
                                           const StyleTargets& targets) {
  const std::size_t layers = options.style_layers.size();
  if (options.style_weights.size() == layers) return options.style_weights;
  if (options.style_weights.size() == 1) return std::vector<double>(layers, options.style_weights[0]);
  if (!network.untrained) return network.default_style_weights(layers);

  std::vector<double> weights;
  const Buffer result = backend.allocate(sizeof(double));
  for (std::size_t i = 0; i < layers; ++i) {
    const std::array<Vector, 1> gram = {targets.gram(static_cast<int>(i))};
    backend.dots(gram, gram, static_cast<double*>(result.data()));
    double norm_squared = 0;
    backend.fetch(static_cast<const double*>(result.data()), std::span(&norm_squared, 1));
    const double c = kVgg19[tap_named(options.style_layers[i]).layer].out_channels;
    weights.push_back(norm_squared > 0 ? c * c * c * c / norm_squared : 0.0);
  }
  return weights;
}

StyleObjective::StyleObjective(Backend& backend, Network& network, Shape image, const StyleOptions& options, Workspace& workspace)
    : backend_(backend),
      image_(image),
      content_weight_(options.content_weight),
      tv_weight_(options.tv_weight),
      taps_(all_taps(options)),
      net_(backend, network, image, pool_kind(options.pooling), taps_, FeatureNet::Purpose::kFeaturesAndGradient, workspace) {
  for (const Tap& tap : taps_named(options.content_layers)) {
    const int i = index_of(taps_, tap);
    content_.push_back({i, workspace.features(net_.tap_shape(i), "content targets")});
  }
  for (const Tap& tap : taps_named(options.style_layers)) {
    const int i = index_of(taps_, tap);
    const std::int64_t c = net_.tap_shape(i).c;
    style_.push_back({i, 0.0, {}, workspace.vector(c * c, "Gram matrices")});
  }
  gram_gradients_.resize(taps_.size());
  host_results_.resize(content_.size() + style_.size() + 4);
  results_ = static_cast<double*>(workspace.take(host_results_.size() * sizeof(double), "results"));
  value_.losses.style.resize(style_.size());
}

void StyleObjective::set_targets(Vector content, const StyleTargets& targets, std::vector<double> style_weights) {
  recording_ = nullptr;
  for (std::size_t i = 0; i < style_.size(); ++i) {
    style_[i].weight = style_weights[i];
    style_[i].target = targets.gram(static_cast<int>(i));
    // L = w / C^4 |G - A|^2 and G = F F^T / M: dL/dF = 4 w / (C^4 M) (G - A) F.
    const Shape shape = net_.tap_shape(style_[i].tap);
    const double c = shape.c;
    gram_gradients_[style_[i].tap] = {style_[i].difference, 4 * style_weights[i] / (c * c * c * c * shape.plane())};
  }
  // Let the network write the content's features into the targets, then give it its own memory back.
  for (ContentTerm& term : content_) term.target = net_.replace_tap(term.tap, term.target);
  net_.forward(content);
  for (ContentTerm& term : content_) term.target = net_.replace_tap(term.tap, term.target);
}

void StyleObjective::compute(Vector x, Vector grad) {
  double* const style_results = results_ + content_.size();
  double* const tv_result = style_results + style_.size();
  {
    const Range range(backend_, "forward");
    net_.forward(x);
  }
  {
    const Range range(backend_, "losses");
    for (std::size_t i = 0; i < style_.size(); ++i) {
      const StyleTerm& term = style_[i];
      backend_.gram(net_.tap(term.tap), term.difference, net_.scratch());
      backend_.combine(std::array{1.0, -1.0}, std::array{term.difference, term.target}, term.difference);
      backend_.dots(std::array{term.difference}, std::array{term.difference}, style_results + i);
    }
  }
  const Range range(backend_, "backward");
  const double mean = 1.0 / image_.size();
  const TotalVariationTerm variation{x, 2 * tv_weight_ * mean, tv_result};
  net_.backward(
      gram_gradients_, [this](int tap, Features grad_features) { add_content_gradient(tap, grad_features); }, grad,
      tv_weight_ > 0 ? &variation : nullptr);
  backend_.dots(std::array{grad}, std::array{grad}, tv_result + 1);
  backend_.norms(grad, tv_result + 2);
}

const StyleObjective::Value& StyleObjective::evaluate(Vector x, Vector grad) {
  const Range range(backend_, "evaluate");
  if (recording_ && x.data == recorded_x_ && grad.data == recorded_grad_) {
    recording_();
  } else {
    recording_ = nullptr;
    recording_ = backend_.record([this, x, grad] { compute(x, grad); });
    recorded_x_ = x.data;
    recorded_grad_ = grad.data;
  }
  backend_.fetch(results_, host_results_);

  Losses& losses = value_.losses;
  std::size_t next = 0;
  losses.content = 0;
  for (const ContentTerm& term : content_) {
    losses.content += content_weight_ * host_results_[next++] / net_.tap_shape(term.tap).size();
  }
  losses.total = losses.content;
  for (std::size_t i = 0; i < style_.size(); ++i) {
    const double c = net_.tap_shape(style_[i].tap).c;
    losses.style[i] = style_[i].weight * host_results_[next++] / (c * c * c * c);
    losses.total += losses.style[i];
  }
  const double mean = 1.0 / image_.size();
  losses.tv = tv_weight_ > 0 ? tv_weight_ * host_results_[next] * mean : 0.0;
  losses.total += losses.tv;
  value_.gradient = {.sum = host_results_[next + 2], .largest = host_results_[next + 3], .squared = host_results_[next + 1]};
  return value_;
}

void StyleObjective::add_content_gradient(int tap, Features grad) {
  const Features f = net_.tap(tap);
  for (std::size_t i = 0; i < content_.size(); ++i) {
    if (content_[i].tap != tap) continue;
    const double scale = 2 * content_weight_ / f.shape.size();
    backend_.feature_distance(f, content_[i].target, scale, grad, results_ + i);
  }
}

}  // namespace impasto
