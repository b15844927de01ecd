#include "engine/objective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
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

// Gradients in binary16 are kept times the power of two that takes what is expected of them here: 2^18 below infinity, for single elements
// beyond the mean, for what layers add, and for pictures further from their style; 2^12 above the least number with all digits, and 2^22
// above the least, for what a run leaves of them (docs/precision.md).
constexpr int kExpectedExponent = -2;
// What each repetition takes away, three of them 2^30.
constexpr int kRepeatExponent = 10;
// The image's gradient, which is float32, is kept times the same until its end.
constexpr int kMostExponent = 64;

double gradient_scale_for(double expected) {
  if (expected == 0) return 1;
  return std::ldexp(1, std::clamp(kExpectedExponent - std::ilogb(expected), -kMostExponent, kMostExponent));
}

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
    const double share = shares[s] / (network.activation_scale() * network.activation_scale());
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const Vector gram = {run.gram.data, grams_[i].size};
      backend.gram(run.net.tap(i), gram, run.net.scratch());
      if (s == 0) {
        backend.combine(std::array{share}, std::array{gram}, grams_[i]);
      } else {
        backend.combine(std::array{1.0, share}, std::array{grams_[i], gram}, grams_[i]);
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

StyleObjective::StyleObjective(Backend& backend, Network& network, Shape image, const StyleOptions& options, Workspace& workspace,
                               int more_results)
    : backend_(backend),
      image_(image),
      content_weight_(options.content_weight),
      tv_weight_(options.tv_weight),
      activation_scale_(network.activation_scale()),
      taps_(all_taps(options)),
      net_(backend, network, image, pool_kind(options.pooling), taps_, FeatureNet::Purpose::kFeaturesAndGradient, workspace) {
  for (const Tap& tap : taps_named(options.content_layers)) {
    const int i = index_of(taps_, tap);
    content_.push_back({i, workspace.features(net_.tap_shape(i), "content targets")});
  }
  for (const Tap& tap : taps_named(options.style_layers)) {
    const int i = index_of(taps_, tap);
    const std::int64_t c = net_.tap_shape(i).c;
    style_.push_back({i, 0.0, 0.0, {}, workspace.vector(c * c, "Gram matrices")});
  }
  gram_gradients_.resize(taps_.size());
  own_results_ = static_cast<int>(content_.size() + style_.size()) + 4;
  host_results_.resize(static_cast<std::size_t>(own_results_ + more_results));
  results_ = static_cast<double*>(workspace.take(host_results_.size() * sizeof(double), "results"));
  value_.losses.style.resize(style_.size());
}

void StyleObjective::set_targets(Vector content, const StyleTargets& targets, std::vector<double> style_weights) {
  recording_ = nullptr;
  repeated_ = 0;
  for (std::size_t i = 0; i < style_.size(); ++i) {
    style_[i].weight = style_weights[i];
    style_[i].target = targets.gram(static_cast<int>(i));
    // L = w / C^4 |G - A|^2 and G = F F^T / M: dL/dF = 4 w / (C^4 M) (G - A) F.
    const Shape shape = net_.tap_shape(style_[i].tap);
    const double c = shape.c;
    style_[i].gradient = 4 * style_weights[i] / (c * c * c * c * shape.plane());
  }
  // Let the network write the content's features into the targets, then give it its own memory back.
  for (ContentTerm& term : content_) term.target = net_.replace_tap(term.tap, term.target);
  net_.forward(content);
  const double of_style = backend_.has_half_range() ? expected_style_gradient() : 0;
  for (ContentTerm& term : content_) term.target = net_.replace_tap(term.tap, term.target);
  if (!backend_.has_half_range()) return;
  const double expected = of_style + expected_content_gradient();
  if (!std::isfinite(expected)) {
    constexpr double kLargestHalf = 65504;
    throw OptionError("precision is fp16, and activations of these pictures pass " +
                      std::to_string(static_cast<std::int64_t>(kLargestHalf / activation_scale_)) +
                      ", where it ends; accepted: auto, fp32, and tf32 and bf16 where the device has them");
  }
  gradient_scale_ = gradient_scale_for(expected);
}

double StyleObjective::norm(Vector v) {
  double squared = 0;
  backend_.dots(std::array{v}, std::array{v}, results_);
  backend_.fetch(results_, std::span(&squared, 1));
  return std::sqrt(squared);
}

double StyleObjective::expected_style_gradient() {
  double sum = 0;
  for (const StyleTerm& term : style_) {
    backend_.gram(net_.tap(term.tap), term.difference, net_.scratch());
    const double size = norm(term.difference) / (activation_scale_ * activation_scale_) + norm(term.target);
    // |D F|^2 <= |D|^2 |F|^2 = |D|^2 M tr G, and where one direction of the features outweighs the others, as their mean does, tr G is near
    // |G|. Of C M elements.
    sum += term.gradient * std::pow(size, 1.5) / std::sqrt(net_.tap_shape(term.tap).c);
  }
  return sum;
}

double StyleObjective::expected_content_gradient() {
  double sum = 0;
  for (const ContentTerm& term : content_) {
    const Features zero = net_.tap(term.tap);
    double squared = 0;
    backend_.fill_zero(zero);
    backend_.feature_distance(term.target, zero, 0, {}, results_);
    backend_.fetch(results_, std::span(&squared, 1));
    sum += content_gradient(zero.shape) * std::sqrt(squared / zero.shape.size()) / activation_scale_;
  }
  return sum;
}

void StyleObjective::compute(Vector x, Vector grad, double gradient_scale) {
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
      const double unscaled = 1 / (activation_scale_ * activation_scale_);
      backend_.combine(std::array{unscaled, -1.0}, std::array{term.difference, term.target}, term.difference);
      backend_.dots(std::array{term.difference}, std::array{term.difference}, style_results + i);
    }
  }
  const Range range(backend_, "backward");
  for (const StyleTerm& term : style_) gram_gradients_[term.tap] = {term.difference, term.gradient * gradient_scale / activation_scale_};
  // The first layer's filters, scaled as activations are, bring their scale along.
  const double scale = gradient_scale * activation_scale_;
  const double mean = 1.0 / image_.size();
  const TotalVariationTerm variation{x, 2 * tv_weight_ * mean * scale, tv_result};
  net_.backward(
      gram_gradients_, [&](int tap, Features grad_features) { add_content_gradient(tap, grad_features, gradient_scale); }, grad,
      tv_weight_ > 0 ? &variation : nullptr);
  if (scale != 1) backend_.combine(std::array{1 / scale}, std::array{grad}, grad);
  backend_.dots(std::array{grad}, std::array{grad}, tv_result + 1);
  backend_.norms(grad, tv_result + 2);
}

void StyleObjective::start(Vector x, Vector grad) {
  const Range range(backend_, "evaluate");
  if (recording_ && x.data == recorded_x_ && grad.data == recorded_grad_) {
    recording_();
  } else {
    recording_ = nullptr;
    recording_ = backend_.record([this, x, grad] { compute(x, grad, gradient_scale_); });
    recorded_x_ = x.data;
    recorded_grad_ = grad.data;
  }
}

const StyleObjective::Value& StyleObjective::evaluate(Vector x, Vector grad, const std::function<void()>& ask) {
  start(x, grad);
  if (ask) ask();
  backend_.fetch(results_, host_results_);
  // Each evaluation begins with the same scale, whatever became of those before: the picture alone decides its gradient.
  for (int again = 1; again <= kMostRepeats && gradient_overflowed(); ++again) {
    if (again == 1) ++repeated_;
    compute(x, grad, std::ldexp(gradient_scale_, -again * kRepeatExponent));
    if (ask) ask();
    backend_.fetch(results_, host_results_);
  }

  Losses& losses = value_.losses;
  std::size_t next = 0;
  losses.content = 0;
  for (const ContentTerm& term : content_) {
    const double squared_distance = host_results_[next++] / (activation_scale_ * activation_scale_);
    losses.content += content_weight_ * squared_distance / net_.tap_shape(term.tap).size();
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

bool StyleObjective::gradient_overflowed() const {
  const auto is_finite = [](double value) { return std::isfinite(value); };
  const auto losses_end = host_results_.begin() + static_cast<std::ptrdiff_t>(content_.size() + style_.size());
  const auto own_end = host_results_.begin() + own_results_;
  return backend_.has_half_range() && std::all_of(host_results_.begin(), losses_end, is_finite) &&
         !std::all_of(own_end - 3, own_end, is_finite);
}

void StyleObjective::add_content_gradient(int tap, Features grad, double gradient_scale) {
  const Features f = net_.tap(tap);
  for (std::size_t i = 0; i < content_.size(); ++i) {
    if (content_[i].tap != tap) continue;
    const double scale = content_gradient(f.shape) * gradient_scale / activation_scale_;
    backend_.feature_distance(f, content_[i].target, scale, grad, results_ + i);
  }
}

}  // namespace impasto
