#include "engine/feature_net.h"

#include <algorithm>
#include <string>
#include <utility>

#include "impasto/error.h"

namespace impasto {
namespace {

int find_tap(std::span<const Tap> taps, Tap wanted) {
  const auto found = std::find(taps.begin(), taps.end(), wanted);
  return found == taps.end() ? -1 : static_cast<int>(found - taps.begin());
}

Epilogue pooling_epilogue(PoolKind pooling) { return pooling == PoolKind::kMax ? Epilogue::kReluMaxPool : Epilogue::kReluAveragePool; }

}  // namespace

FeatureNet::FeatureNet(Backend& backend, Network& network, Shape image, PoolKind pooling, std::span<const Tap> taps, Purpose purpose,
                       Workspace& workspace)
    : backend_(backend), pooling_(pooling), image_(image) {
  plan_stages(network, image, taps, purpose, workspace);

  walk_forward({nullptr, image_});
  if (purpose == Purpose::kFeaturesAndGradient) walk_backward({}, {}, {nullptr, image_}, nullptr);
  for (int i = 0; i < 2; ++i) transients_.memory[i] = workspace.take(transients_.bytes[i], "activations in transit");

  std::int64_t scratch_bytes = 0;
  for (const Stage& stage : stages_) scratch_bytes = std::max(scratch_bytes, stage.conv->scratch_bytes());
  for (const TapPoint& tap : taps_) scratch_bytes = std::max(scratch_bytes, backend_.gram_scratch_bytes(tap.features.shape));
  scratch_ = workspace.take(scratch_bytes, "scratch of convolutions and Gram matrices");
  computing_ = !workspace.measuring();
}

void FeatureNet::plan_stages(Network& network, Shape image, std::span<const Tap> taps, Purpose purpose, Workspace& workspace) {
  int last = 0;
  for (const Tap& tap : taps) last = std::max(last, tap.layer);
  taps_.resize(taps.size());
  Shape input = image;
  for (int layer = 0; layer <= last; ++layer) {
    const ConvLayer& conv = kVgg19[layer];
    Stage stage;
    stage.shape = {conv.out_channels, input.h, input.w};
    stage.conv_tap = find_tap(taps, {layer, false});
    stage.relu_tap = find_tap(taps, {layer, true});
    stage.pool = conv.pool_after && layer < last;
    const bool relu = layer < last || stage.relu_tap >= 0;
    stage.relu_alone = relu && stage.conv_tap >= 0;
    stage.pool_alone = stage.pool && (stage.conv_tap >= 0 || stage.relu_tap >= 0);
    if (stage.pool && (input.h < 2 || input.w < 2)) {
      throw ShapeError("a picture of " + std::to_string(image.w) + "x" + std::to_string(image.h) + " pixels is too small for layer " +
                       kVgg19[last].name + ": nothing is left to pool after " + conv.name);
    }
    Epilogue epilogue = relu ? Epilogue::kRelu : Epilogue::kNone;
    if (stage.relu_alone) epilogue = Epilogue::kNone;
    if (stage.pool && !stage.pool_alone) epilogue = pooling_epilogue(pooling_);
    stage.conv = backend_.plan_conv3x3({input.h, input.w, epilogue, &network.filters(layer)});
    workspace.count(stage.conv->held_bytes(), "transformed filters");
    if (purpose == Purpose::kFeaturesAndGradient) {
      if (relu) stage.relu_mask = workspace.mask(stage.shape, "masks of ReLU and pooling");
      if (stage.pool_alone && pooling_ == PoolKind::kMax) stage.pool_mask = workspace.mask(stage.shape, "masks of ReLU and pooling");
    }
    for (const int tap : {stage.conv_tap, stage.relu_tap}) {
      if (tap >= 0) taps_[tap] = {taps[tap], workspace.features(stage.shape, "features of content and style layers")};
    }
    input = stage.output();
    stages_.push_back(std::move(stage));
  }
}

Features FeatureNet::replace_tap(int i, Features storage) { return std::exchange(taps_[i].features, storage); }

Features FeatureNet::transient(Shape shape) {
  const int slot = transients_.next;
  transients_.next = 1 - slot;
  transients_.bytes[slot] = std::max(transients_.bytes[slot], backend_.features_bytes(shape));
  return {transients_.memory[slot], shape};
}

void FeatureNet::forward(Vector image) { walk_forward({image.data, image_}); }

void FeatureNet::walk_forward(Features input) {
  transients_.next = 0;
  for (const Stage& stage : stages_) {
    const bool conv_is_relu = !stage.relu_alone;
    const bool conv_is_pool = stage.pool && !stage.pool_alone;
    const int conv_tap = stage.relu_alone || stage.relu_tap < 0 ? stage.conv_tap : stage.relu_tap;
    Features x = conv_tap >= 0 ? taps_[conv_tap].features : transient(conv_is_pool ? stage.output() : stage.shape);
    if (computing_) stage.conv->forward(input, x, conv_is_relu ? stage.relu_mask : Mask{}, scratch_);
    if (stage.relu_alone) {
      const Features rectified = stage.relu_tap >= 0 ? taps_[stage.relu_tap].features : transient(stage.shape);
      if (computing_) backend_.relu(x, rectified, stage.relu_mask);
      x = rectified;
    }
    if (stage.pool_alone) {
      const Features smaller = transient(stage.output());
      if (computing_) backend_.pool2x2(pooling_, x, smaller, stage.pool_mask);
      x = smaller;
    }
    input = x;
  }
}

void FeatureNet::backward(std::span<const GramGradient> gram_gradients, const AddGradient& add_gradient, Vector grad_image,
                          const TotalVariationTerm* variation) {
  walk_backward(gram_gradients, add_gradient, {grad_image.data, image_}, variation);
}

void FeatureNet::walk_backward(std::span<const GramGradient> gram_gradients, const AddGradient& add_gradient, Features grad_image,
                               const TotalVariationTerm* variation) {
  const auto gram_term = [&](int tap) { return GramTerm{taps_[tap].features, gram_gradients[tap].grad_g, gram_gradients[tap].scale}; };
  const auto add_at = [&](int tap, Features grad, bool gram_done) {
    if (tap < 0 || !computing_) return;
    if (!gram_done && gram_gradients[tap].grad_g.data != nullptr) backend_.gram_gradient(gram_term(tap), grad, scratch_);
    add_gradient(tap, grad);
  };
  transients_.next = 0;
  Features grad = transient(stages_.back().output());
  if (computing_) backend_.fill_zero(grad);
  bool gram_done = false;
  for (std::size_t layer = stages_.size(); layer-- > 0;) {
    const Stage& stage = stages_[layer];
    if (stage.pool_alone) {
      const Features grad_relu = transient(stage.shape);
      if (computing_) backend_.pool2x2_gradient(pooling_, grad, stage.pool_mask, grad_relu);
      grad = grad_relu;
    }
    add_at(stage.relu_tap, grad, gram_done);
    if (stage.relu_alone && computing_) backend_.relu_gradient(stage.relu_mask, grad);
    add_at(stage.conv_tap, grad, false);

    const Features grad_in = layer == 0 ? grad_image : transient(stages_[layer - 1].output());
    // The convolution takes the Gram term of the tap that it reads along, the first one the picture's total variation.
    const int input_tap = layer == 0 || stages_[layer - 1].pool ? -1 : stages_[layer - 1].relu_tap;
    gram_done = computing_ && input_tap >= 0 && gram_gradients[input_tap].grad_g.data != nullptr;
    if (computing_) {
      LossTerm plus;
      if (gram_done) plus = gram_term(input_tap);
      if (layer == 0 && variation != nullptr) plus = *variation;
      stage.conv->gradient(grad, stage.relu_alone ? Mask{} : stage.relu_mask, grad_in, scratch_, plus);
    }
    grad = grad_in;
  }
}

}  // namespace impasto
