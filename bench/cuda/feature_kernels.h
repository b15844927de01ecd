// Kernels over features, as benchmarks prepare them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/cuda/device.h"
#include "bench/cuda/traffic.h"
#include "bench/numbers.h"
#include "kernels/backend.h"
#include "kernels/cuda/losses.h"
#include "kernels/cuda/pooling.h"

namespace impasto {

struct ImageConv {
  ImageConv(Device& device, const traffic::Layer& layer)
      : picture(device.vector(layer.in_channels * layer.convolved.plane())),
        in{picture.data, {layer.in_channels, layer.convolved.h, layer.convolved.w}},
        out(device.features(layer.convolved)),
        mask(device.mask(layer.convolved)) {
    const std::vector<double> values = numbers(std::int64_t{27} * layer.convolved.c);
    std::vector<float> weight;
    for (const double value : values) weight.push_back(static_cast<float>(value / 5));
    const std::vector<float> bias(static_cast<std::size_t>(layer.convolved.c), 0.01f);
    filters = device.backend().load_filters({layer.in_channels, layer.convolved.c, true, weight, bias});
    plan = device.backend().plan_conv3x3({layer.convolved.h, layer.convolved.w, Epilogue::kRelu, filters.get()});
    scratch = device.memory(plan->scratch_bytes());
    plan->forward(in, out, mask, scratch);
  }

  Vector picture;
  Features in;
  Features out;
  Mask mask;
  std::shared_ptr<Filters> filters;
  std::shared_ptr<ConvPlan> plan;
  void* scratch = nullptr;
};

inline Work image_conv_forward(Device& device, const traffic::Layer& layer) {
  const ImageConv conv(device, layer);
  return {[conv] { conv.plan->forward(conv.in, conv.out, conv.mask, conv.scratch); },
          traffic::image_conv_forward(layer.convolved, device.number())};
}

inline Work image_conv_gradient(Device& device, const traffic::Layer& layer) {
  const ImageConv conv(device, layer);
  const Features grad_picture{device.vector(conv.in.shape.size()).data, conv.in.shape};
  return {[=] { conv.plan->gradient(conv.out, conv.mask, grad_picture, conv.scratch); },
          traffic::image_conv_gradient(layer.convolved, device.number())};
}

inline Work image_conv_gradient_with_total_variation(Device& device, const traffic::Layer& layer) {
  const ImageConv conv(device, layer);
  const Features grad_picture{device.vector(conv.in.shape.size()).data, conv.in.shape};
  const TotalVariationTerm plus{conv.picture, 0.1, device.results(1)};
  return {[=] { conv.plan->gradient(conv.out, conv.mask, grad_picture, conv.scratch, plus); },
          traffic::image_conv_gradient_with_total_variation(layer.convolved, device.number())};
}

inline Work record_positive(Device& device, const traffic::Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { cuda::record_positive(device.storage(), in, mask, device.stream()); },
          traffic::record_positive(layer.convolved, device.number())};
}

inline Work pass_masked(Device& device, const traffic::Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(layer.convolved);
  const Mask mask = device.mask_of(in);
  return {[=, &device] { cuda::pass_masked(device.storage(), in, mask, out, device.stream()); },
          traffic::pass_masked(layer.convolved, device.number())};
}

inline Work pool(Device& device, const traffic::Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(pooled(layer.convolved));
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { device.backend().pool2x2(PoolKind::kMax, in, out, mask); }, traffic::pool(layer.convolved, device.number())};
}

inline Work unpool(Device& device, const traffic::Layer& layer) {
  const Features grad_in = device.features(layer.convolved);
  const Features grad_out = device.features(pooled(layer.convolved));
  const Mask mask = device.mask(layer.convolved);
  device.backend().pool2x2(PoolKind::kMax, grad_in, grad_out, mask);
  return {[=, &device] { device.backend().pool2x2_gradient(PoolKind::kMax, grad_out, mask, grad_in); },
          traffic::unpool(layer.convolved, device.number())};
}

inline Work relu(Device& device, const traffic::Layer& layer) {
  const Features in = device.features(layer.convolved);
  const Features out = device.features(layer.convolved);
  const Mask mask = device.mask(layer.convolved);
  return {[=, &device] { device.backend().relu(in, out, mask); }, traffic::relu(layer.convolved, device.number())};
}

inline Work feature_distance(Device& device, const traffic::Layer& layer) {
  const Features f = device.features(layer.convolved);
  const Features p = device.features(layer.convolved);
  const Features grad = device.features(layer.convolved);
  double* const result = device.results(1);
  return {[=, &device] { device.backend().feature_distance(f, p, 1e-9, grad, result); },
          traffic::feature_distance(layer.convolved, device.number())};
}

// As many pieces as Backend::gram makes: the backend's scratch memory has room for their products.
inline Work finish_gram(Device& device, const traffic::Layer& layer) {
  const int c = layer.convolved.c;
  const std::int64_t square = std::int64_t{c} * c;
  const std::int64_t pieces = device.backend().gram_scratch_bytes(layer.convolved) / traffic::floats(square);
  const Vector products = device.vector(pieces * square);
  const Vector g = device.vector(square);
  return {
      [=, &device] { cuda::finish_gram(static_cast<const float*>(products.data), static_cast<int>(pieces), c, 1e-3, g, device.stream()); },
      traffic::finish_gram(pieces, c)};
}

inline Work gram_difference(Device& device, const traffic::Layer& layer) {
  const std::int64_t square = std::int64_t{layer.convolved.c} * layer.convolved.c;
  const Vector difference = device.vector(square);
  const Vector target = device.vector(square);
  double* const result = device.results(1);
  return {[=, &device] {
            // The first coefficient keeps what it repeats bounded.
            device.backend().combine(std::array{0.5, -1.0}, std::array{difference, target}, difference);
            device.backend().dots(std::array{difference}, std::array{difference}, result);
          },
          traffic::gram_difference(layer.convolved.c)};
}

struct FeatureKernel {
  const char* name;
  Work (*prepare)(Device& device, const traffic::Layer& layer);
  // Whether an evaluation runs it at this layer.
  bool (*runs_at)(const traffic::Layer& layer);
  // In each storage; otherwise what it works on is float32.
  bool in_each_storage;
};

inline bool is_named(const traffic::Layer& layer, const char* name) { return layer.name == name; }
inline bool reads_picture(const traffic::Layer& layer) { return is_named(layer, "conv1_1"); }
inline bool pools(const traffic::Layer& layer) { return layer.pools; }
inline bool convolves_alone(const traffic::Layer& layer) { return !pools(layer) && !reads_picture(layer); }
inline bool has_gram(const traffic::Layer& layer) { return layer.name.ends_with("_1"); }

inline constexpr FeatureKernel kFeatureKernels[] = {
    {"image_conv_forward", image_conv_forward, reads_picture, true},
    {"image_conv_gradient", image_conv_gradient, reads_picture, true},
    {"image_conv_gradient_with_total_variation", image_conv_gradient_with_total_variation, reads_picture, true},
    {"record_positive", record_positive, convolves_alone, true},
    {"pass_masked", pass_masked, convolves_alone, true},
    {"pool", pool, pools, true},
    {"unpool", unpool, pools, true},
    // Of a network with a loss before its ReLU, which the default losses do not have.
    {"relu", relu, [](const traffic::Layer& layer) { return is_named(layer, "conv1_2"); }, true},
    {"feature_distance", feature_distance, [](const traffic::Layer& layer) { return is_named(layer, "conv4_2"); }, true},
    {"finish_gram", finish_gram, has_gram, false},
    {"gram_difference", gram_difference, has_gram, false},
};

}  // namespace impasto
