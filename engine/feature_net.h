// VGG19 forward to the features that are asked for, and backward from their gradients to the image.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/network.h"
#include "engine/vgg19.h"
#include "engine/workspace.h"
#include "kernels/backend.h"

namespace impasto {

// The network for one image size, cut after the deepest tap. Only tapped features are kept; between layers activations and their
// gradients pass through two transient buffers, and the backward pass needs just the masks that the forward pass leaves.
// Construction plans and takes memory; forward and backward compute. Usable for computing only with a serving workspace.
class FeatureNet {
 public:
  enum class Purpose { kFeatures, kFeaturesAndGradient };

  // Borrows everything for its life. taps: distinct. Throws ShapeError when the image is too small for the deepest tap.
  FeatureNet(Backend& backend, Network& network, Shape image, PoolKind pooling, std::span<const Tap> taps, Purpose purpose,
             Workspace& workspace);

  // Shape of the features at taps[i].
  Shape tap_shape(int i) const { return taps_[i].features.shape; }
  // The features that the last forward() left at taps[i].
  Features tap(int i) const { return taps_[i].features; }
  // From now on forward() writes taps[i] to `storage`; returns where it wrote before, untouched.
  Features replace_tap(int i, Features storage);

  void forward(Vector image);

  // What the losses add to the gradient of the features at taps[i]: for that of their Gram matrix scale * grad_g times the features
  // (grad_g.data == nullptr: nothing); for all others whatever add_gradient, called once per tap, deepest first, accumulates into grad.
  struct GramGradient {
    Vector grad_g;
    double scale = 0;
  };
  using AddGradient = std::function<void(int i, Features grad)>;
  // grad_image = dL/d image for the image of the last forward(). gram_gradients: one per tap. variation: nullptr, or the image's, which is
  // added.
  void backward(std::span<const GramGradient> gram_gradients, const AddGradient& add_gradient, Vector grad_image,
                const TotalVariationTerm* variation = nullptr);

  // Backend memory that callers may use between operations, large enough for gram and gram_gradient of every tap.
  void* scratch() const { return scratch_; }

 private:
  // One convolution with what follows it. The convolution's epilogue absorbs ReLU and pooling unless a tap wants to see between them.
  struct Stage {
    std::unique_ptr<ConvPlan> conv;
    Shape shape;        // of the convolution's output
    int conv_tap = -1;  // index into taps_, or -1
    int relu_tap = -1;
    bool relu_alone = false;  // ReLU is an operation of its own (conv_tap is set and something follows)
    bool pool = false;
    bool pool_alone = false;  // pooling is an operation of its own (relu_tap or conv_tap is set)
    Mask relu_mask;
    Mask pool_mask;
    Shape output() const { return pool ? pooled(shape) : shape; }
  };
  struct TapPoint {
    Tap tap;
    Features features;
  };
  // Two buffers used in turn: what one operation writes the next one reads.
  struct Transients {
    void* memory[2] = {nullptr, nullptr};
    std::int64_t bytes[2] = {0, 0};
    int next = 0;
  };

  void plan_stages(Network& network, Shape image, std::span<const Tap> taps, Purpose purpose, Workspace& workspace);
  Features transient(Shape shape);
  void walk_forward(Features input);
  void walk_backward(std::span<const GramGradient> gram_gradients, const AddGradient& add_gradient, Features grad_image,
                     const TotalVariationTerm* variation);

  Backend& backend_;
  PoolKind pooling_;
  Shape image_;
  // While measuring, walks only follow the shapes, to size the transient buffers.
  bool computing_ = false;
  std::vector<Stage> stages_;
  std::vector<TapPoint> taps_;
  Transients transients_;
  void* scratch_ = nullptr;
};

}  // namespace impasto
