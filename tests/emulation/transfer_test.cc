// The whole CUDA backend under the engine, on the emulation: complete small transfers beside the CPU backend, and each of its calls failing
// in turn.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/network.h"
#include "engine/network_input.h"
#include "engine/objective.h"
#include "engine/optimiser.h"
#include "engine/weight_store.h"
#include "engine/workspace.h"
#include "impasto/error.h"
#include "kernels/cuda/cuda_backend.h"
#include "tests/emulation/emulator.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace impasto {
namespace {

Image picture(int width, int height, std::uint64_t seed) {
  Image image{width, height, std::vector<float>(static_cast<std::size_t>(3) * width * height)};
  const std::vector<double> values = testing_support::normal(seed, std::ssize(image.pixels));
  for (std::size_t i = 0; i < values.size(); ++i) image.pixels[i] = static_cast<float>(0.5 + 0.2 * values[i]);
  return image;
}

// The first `count` layers of an untrained network, drawn once; each backend loads them from here.
Network::Source untrained(int count) {
  struct Layer {
    std::vector<float> weight;
    std::vector<float> bias;
  };
  static std::array<Layer, kVgg19.size()> layers;
  static const NetworkHeader header =
      draw_untrained_weights(7, [](int layer, const std::vector<float>& weight, const std::vector<float>& bias) {
        layers[static_cast<std::size_t>(layer)] = {weight, bias};
      });
  return [count](const TakeLayer& take) {
    for (int i = 0; i < count; ++i) take(i, layers[static_cast<std::size_t>(i)].weight, layers[static_cast<std::size_t>(i)].bias);
    return header;
  };
}

struct Outcome {
  std::vector<double> losses;
  std::vector<double> first_gradient;
  std::vector<double> picture;
  // Of the emulation, at each evaluation with the optimiser's step.
  std::vector<std::int64_t> waits;
};

// What a session does, on any backend.
Outcome transfer(Backend& backend, const StyleOptions& options, int layers, int width, int height) {
  Network network(backend, untrained(layers));
  const Shape shape{3, height, width};
  const std::vector<Image> styles = {picture(width + 5, height - 3, 1)};
  const StyleTargets targets(backend, network, styles, options);
  Workspace measure(backend);
  const auto build = [&](Workspace& workspace) {
    auto objective = std::make_unique<StyleObjective>(backend, network, shape, options, workspace, optimiser_results(options));
    const Vector x = workspace.vector(shape.size(), "picture");
    const Vector grad = workspace.vector(shape.size(), "gradient");
    auto optimiser = make_optimiser(backend, shape, network.input(), options, objective->more_results(), workspace);
    return std::tuple(std::move(objective), x, grad, std::move(optimiser));
  };
  build(measure);
  Workspace workspace(backend, measure.bytes());
  const auto [objective, x, grad, optimiser] = build(workspace);
  backend.upload(preprocess(picture(width, height, 2), network.input()), x);
  objective->set_targets(x, targets, resolved_style_weights(backend, network.info(), options, targets));
  Outcome outcome;
  outcome.picture.resize(static_cast<std::size_t>(shape.size()));
  for (int i = 0; i < options.iterations; ++i) {
    const std::int64_t before = emulation::waits();
    const StyleObjective::Value& value = objective->evaluate(x, grad, [&asked = *optimiser, &at = grad] { asked.ask(at); });
    const std::int64_t of_evaluation = emulation::waits() - before;
    outcome.losses.push_back(value.losses.total);
    if (i == 0) {
      outcome.first_gradient.resize(outcome.picture.size());
      backend.download(grad, outcome.first_gradient);
    }
    const std::int64_t between = emulation::waits();
    optimiser->advance(value.losses.total, value.gradient, grad, x);
    outcome.waits.push_back(of_evaluation + emulation::waits() - between);
  }
  backend.download(x, outcome.picture);
  return outcome;
}

double distance_of_directions(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return 1 - ab / std::sqrt(aa * bb);
}

struct Case {
  std::string name;
  Optimizer optimizer;
  Pooling pooling;
};

// Up to conv5_1.
constexpr int kLayers = 13;

class Transfer : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(, Transfer,
                         testing::Values(Case{"lbfgs", Optimizer::kLbfgs, Pooling::kMax},
                                         Case{"lbfgs_average", Optimizer::kLbfgs, Pooling::kAverage},
                                         Case{"lbfgs_torch", Optimizer::kLbfgsTorch, Pooling::kMax},
                                         Case{"adam", Optimizer::kAdam, Pooling::kMax}),
                         [](const auto& one) { return one.param.name; });

TEST_P(Transfer, AgreesWithTheCpu) {
  StyleOptions options;
  options.optimizer = GetParam().optimizer;
  options.pooling = GetParam().pooling;
  options.tv_weight = 0.1;
  options.iterations = 5;
  options.history = 3;
  const std::unique_ptr<Backend> cpu = make_backend({});
  const Outcome expected = transfer(*cpu, options, kLayers, 37, 26);
  for (const emulation::Order order : {emulation::Order::kForward, emulation::Order::kReverse}) {
    emulation::set_order_of_new_streams(order);
    const std::unique_ptr<Backend> cuda = make_cuda_backend({.precision = Precision::kFp32});
    const Outcome actual = transfer(*cuda, options, kLayers, 37, 26);
    ASSERT_EQ(actual.losses.size(), expected.losses.size());
    EXPECT_NEAR(actual.losses[0] / expected.losses[0], 1, 1e-5);
    EXPECT_LE(distance_of_directions(actual.first_gradient, expected.first_gradient), 1e-6);
    // From the second step on rounding has its say.
    for (std::size_t i = 1; i < actual.losses.size(); ++i)
      EXPECT_NEAR(actual.losses[i] / expected.losses[i], 1, 1e-3) << "evaluation " << i + 1;
  }
  EXPECT_EQ(emulation::live_allocations(), 0);
  EXPECT_EQ(emulation::live_streams(), 0);
  EXPECT_EQ(emulation::live_graphs(), 0);
}

// Of each kind of layer one, pooled and not, the picture's and another: three layers.
StyleOptions shallow() {
  StyleOptions options;
  options.content_layers = {"relu2_1"};
  options.style_layers = {"relu1_1", "conv2_1"};
  options.iterations = 3;
  options.history = 2;
  return options;
}

TEST(CudaFaults, EveryCallMayFail) {
  emulation::set_order_of_new_streams(emulation::Order::kForward);
  const StyleOptions options = shallow();
  // Which makes all calls that the others make, and some of its own.
  const auto run = [&] { return transfer(*make_cuda_backend({.precision = Precision::kFp16}), options, 3, 8, 6); };
  const std::int64_t before = emulation::calls();
  const Outcome expected = run();
  const std::int64_t calls = emulation::calls() - before;
  ASSERT_GT(calls, 100);
  for (std::int64_t n = 1; n <= calls; ++n) {
    emulation::fail_call(n);
    try {
      run();
      ADD_FAILURE() << "call " << n << " of " << calls << " failed and nobody noticed";
    } catch (const DeviceError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    emulation::fail_call(0);
    ASSERT_EQ(emulation::live_allocations(), 0) << "after call " << n << " of " << calls << " failed";
    ASSERT_EQ(emulation::live_streams(), 0) << "after call " << n << " of " << calls << " failed";
    ASSERT_EQ(emulation::live_graphs(), 0) << "after call " << n << " of " << calls << " failed";
  }
  EXPECT_EQ(run().picture, expected.picture);
}

// An objective of 8 x 6 pixels, with two sets of vectors to evaluate with.
class Scene {
 public:
  static constexpr Shape kShape{3, 6, 8};

  // loss_scale: of all weights.
  explicit Scene(Backend& backend, double style_weight = 1000, double loss_scale = 1)
      : backend_(backend), network_(backend, untrained(3)), loss_scale_(loss_scale), targets_(backend, network_, styles_, options()) {
    Workspace measure(backend);
    build(measure);
    workspace_.emplace(backend, measure.bytes());
    build(*workspace_);
    set_targets(style_weight);
  }

  void set_targets(double style_weight, double contrast = 1) {
    backend_.upload(preprocess(with_contrast(picture(kShape.w, kShape.h, 2), contrast), network_.input()), vectors_[0]);
    objective_->set_targets(vectors_[0], targets_, {style_weight * loss_scale_, style_weight * loss_scale_});
  }

  // The gradient, then the losses, of the picture drawn from the seed; in vectors of either set.
  std::vector<double> evaluate(std::uint64_t seed, std::size_t set = 0, double contrast = 1) {
    backend_.upload(preprocess(with_contrast(picture(kShape.w, kShape.h, seed), contrast), network_.input()), vectors_[set]);
    const Losses losses = evaluate_again(set).losses;
    std::vector<double> all(static_cast<std::size_t>(kShape.size()));
    backend_.download(vectors_[2 + set], all);
    all.insert(all.end(), {losses.total, losses.content, losses.tv});
    all.insert(all.end(), losses.style.begin(), losses.style.end());
    return all;
  }
  const StyleObjective::Value& evaluate_again(std::size_t set = 0) { return objective_->evaluate(vectors_[set], vectors_[2 + set]); }
  int repeated() const { return objective_->repeated(); }

 private:
  static Image with_contrast(Image image, double contrast) {
    for (float& pixel : image.pixels) pixel = static_cast<float>(0.5 + contrast * (pixel - 0.5));
    return image;
  }
  StyleOptions options() const {
    StyleOptions options = shallow();
    options.content_weight = loss_scale_;
    options.tv_weight = 0.1 * loss_scale_;
    return options;
  }
  void build(Workspace& workspace) {
    objective_ = std::make_unique<StyleObjective>(backend_, network_, kShape, options(), workspace);
    for (Vector& v : vectors_) v = workspace.vector(kShape.size(), "test");
  }

  Backend& backend_;
  Network network_;
  double loss_scale_;
  std::vector<Image> styles_ = {picture(12, 9, 1)};
  StyleTargets targets_;
  std::optional<Workspace> workspace_;
  std::unique_ptr<StyleObjective> objective_;
  std::array<Vector, 4> vectors_;
};

TEST(Recorded, AnEvaluationIsOneLaunchAndOneWait) {
  const std::unique_ptr<Backend> cuda = make_cuda_backend({});
  Scene scene(*cuda);
  scene.evaluate(3);
  for (int i = 0; i < 3; ++i) {
    const std::int64_t submissions = emulation::submissions();
    const std::int64_t launches = emulation::graph_launches();
    const std::int64_t waits = emulation::waits();
    scene.evaluate_again();
    EXPECT_EQ(emulation::graph_launches(), launches + 1);
    // The graph, and the copy of its results.
    EXPECT_EQ(emulation::submissions(), submissions + 2);
    EXPECT_EQ(emulation::waits(), waits + 1);
  }
}

// docs/design.md says what each is for.
TEST(Waits, AreAsManyAsTheHostHasToDecide) {
  const auto waits = [](Optimizer optimizer) {
    StyleOptions options = shallow();
    options.optimizer = optimizer;
    options.iterations = 5;
    return transfer(*make_cuda_backend({}), options, 3, 8, 6).waits;
  };
  const std::vector<std::int64_t> once = {1, 1, 1, 1, 1};
  EXPECT_EQ(waits(Optimizer::kLbfgs), once);
  EXPECT_EQ(waits(Optimizer::kLbfgsTorch), once);
  EXPECT_EQ(waits(Optimizer::kLbfgsWolfe).front(), 1);
  for (const std::int64_t count : waits(Optimizer::kLbfgsWolfe)) EXPECT_LE(count, 2);
  EXPECT_EQ(waits(Optimizer::kAdam), once);
}

TEST(Recorded, EvaluationsAreToTheBitThoseThatWereNot) {
  using testing_support::same_bits;
  for (const std::unique_ptr<Backend>& backend : {make_cuda_backend({}), make_cuda_backend({.precision = Precision::kFp16}),
                                                  make_backend({.threads = 2}), make_backend({.kind = BackendKind::kReferenceDouble})}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, backend->description());
    // The first evaluation of a scene is carried out as it is called.
    const std::vector<double> expected = Scene(*backend).evaluate(3);
    const std::vector<double> expected_of_weight = Scene(*backend, 10).evaluate(3);
    EXPECT_NE(expected, expected_of_weight);
    Scene scene(*backend);
    EXPECT_FALSE(same_bits(scene.evaluate(4), expected));
    EXPECT_TRUE(same_bits(scene.evaluate(3), expected));
    scene.evaluate(5);
    EXPECT_TRUE(same_bits(scene.evaluate(3), expected));
    // Recorded anew where something else is asked for.
    EXPECT_TRUE(same_bits(scene.evaluate(3, 1), expected));
    scene.evaluate(4, 1);
    EXPECT_TRUE(same_bits(scene.evaluate(3, 1), expected));
    EXPECT_TRUE(same_bits(scene.evaluate(3), expected));
    scene.set_targets(10);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(scene.evaluate(3), expected_of_weight));
    scene.set_targets(1000);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(scene.evaluate(3), expected));
  }
  EXPECT_EQ(emulation::live_graphs(), 0);
}

TEST(Ranges, NameThePartsOfAnEvaluation) {
  const std::unique_ptr<Backend> cuda = make_cuda_backend({});
  Scene scene(*cuda);
  emulation::take_ranges();
  scene.evaluate_again();
  // Carried out, then captured.
  EXPECT_EQ(emulation::take_ranges(), "evaluate(forward()losses()backward()forward()losses()backward())");
  scene.evaluate_again();
  EXPECT_EQ(emulation::take_ranges(), "evaluate()");
  scene.set_targets(10);
  emulation::fail_call(3);
  EXPECT_THROW(scene.evaluate_again(), DeviceError);
  emulation::fail_call(0);
  EXPECT_EQ(emulation::take_ranges(), "evaluate(forward())");
}

TEST(Recorded, WhatCannotBeRecordedIsAnError) {
  const std::unique_ptr<Backend> cuda = make_cuda_backend({});
  const Buffer memory = cuda->allocate(cuda->vector_bytes(4));
  const Vector v{memory.data(), 4};
  std::vector<double> host = {1, 2, 3, 4};
  const std::array<std::function<void()>, 4> refused = {
      [&] { cuda->upload(host, v); },
      [&] { cuda->download(v, host); },
      [&] { cuda->allocate(16); },
      [&] { cuda->record([] {}); },
  };
  for (const std::function<void()>& operations : refused) {
    try {
      cuda->record(operations);
      ADD_FAILURE() << "recorded";
    } catch (const DeviceError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    EXPECT_EQ(emulation::live_graphs(), 0);
    // Nothing of it is left.
    const Recording doubling = cuda->record([&] { cuda->combine(std::array{2.0}, std::array{v}, v); });
    doubling();
    std::vector<double> doubled(4);
    cuda->download(v, doubled);
    EXPECT_EQ(doubled[3], 4 * host[3]);
    cuda->upload(host, v);
  }
}

// On the same backend, with the same objective: nothing of a recording or replay that failed half way is left.
TEST(CudaFaults, AnEvaluationThatFailedCanBeRepeated) {
  const std::unique_ptr<Backend> cuda = make_cuda_backend({});
  Scene scene(*cuda);
  for (const bool recorded : {false, true}) {
    const auto prepare = [&] {
      scene.set_targets(1000);
      if (recorded) scene.evaluate(4);
    };
    prepare();
    const std::int64_t before = emulation::calls();
    const std::vector<double> expected = scene.evaluate(3);
    const std::int64_t calls = emulation::calls() - before;
    for (std::int64_t n = 1; n <= calls; ++n) {
      prepare();
      emulation::fail_call(n);
      EXPECT_THROW(scene.evaluate(3), DeviceError) << "call " << n << " of " << calls;
      emulation::fail_call(0);
      EXPECT_TRUE(testing_support::same_bits(scene.evaluate(3), expected)) << "after call " << n << " of " << calls << " failed";
      EXPECT_EQ(emulation::live_graphs(), 1);
    }
  }
}

TEST(CudaFaults, NoDevice) {
  emulation::set_devices(0);
  EXPECT_THROW(make_cuda_backend({}), DeviceError);
  emulation::set_devices(1);
  {
    const std::unique_ptr<Backend> cuda = make_cuda_backend({});
    emulation::set_devices(0);
    EXPECT_THROW(cuda->allocate(16), DeviceError);
    emulation::set_devices(1);
  }
  EXPECT_THROW(make_cuda_backend({.cuda_device = 1}), DeviceError);
  EXPECT_THROW(make_cuda_backend({.cuda_device = -1}), DeviceError);
  EXPECT_EQ(emulation::live_allocations(), 0);
}

class CudaPrecision : public testing::Test {
 protected:
  void TearDown() override { emulation::set_compute_capability(9, 0); }

  static std::string description(Precision precision) { return make_cuda_backend({.precision = precision})->description(); }

  static void expect_refused(Precision precision, const std::string& accepted) {
    try {
      make_cuda_backend({.precision = precision});
      ADD_FAILURE() << to_string(precision) << " was accepted";
    } catch (const OptionError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(std::string("precision is ") + to_string(precision)), std::string::npos) << message;
      EXPECT_NE(message.find(": " + accepted), std::string::npos) << message;
    }
  }
};

TEST_F(CudaPrecision, IsThatOfTheDevice) {
  for (const auto& [major, minor] : {std::pair(8, 0), std::pair(9, 0)}) {
    emulation::set_compute_capability(major, minor);
    EXPECT_EQ(description(Precision::kAuto).find("cuda, tf32, "), 0u);
    EXPECT_EQ(description(Precision::kTf32).find("cuda, tf32, "), 0u);
    EXPECT_EQ(description(Precision::kFp32).find("cuda, fp32, "), 0u);
    EXPECT_EQ(description(Precision::kFp16).find("cuda, fp16, "), 0u);
    EXPECT_EQ(description(Precision::kBf16).find("cuda, bf16, "), 0u);
    EXPECT_NE(describe_cuda_devices().front().find("precision tf32, fp32, fp16, bf16"), std::string::npos)
        << describe_cuda_devices().front();
  }
  emulation::set_compute_capability(7, 5);
  EXPECT_EQ(description(Precision::kAuto).find("cuda, fp32, "), 0u);
  EXPECT_EQ(description(Precision::kFp32).find("cuda, fp32, "), 0u);
  EXPECT_EQ(description(Precision::kFp16).find("cuda, fp16, "), 0u);
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) expect_refused(precision, "auto, fp32, fp16");
  EXPECT_EQ(emulation::live_allocations(), 0);
  EXPECT_EQ(emulation::live_streams(), 0);
}

TEST_F(CudaPrecision, SixteenBitsTakeHalfTheMemoryOfActivations) {
  constexpr Shape kShape{64, 5, 7};
  for (const auto& [precision, bytes] :
       {std::pair(Precision::kFp32, 4), std::pair(Precision::kTf32, 4), std::pair(Precision::kFp16, 2), std::pair(Precision::kBf16, 2)}) {
    EXPECT_EQ(make_cuda_backend({.precision = precision})->features_bytes(kShape), bytes * kShape.size()) << to_string(precision);
  }
}

// One evaluation beside the double reference: the relative error of the loss, and how far the gradient turns. docs/precision.md has the
// table that this prints.
TEST_F(CudaPrecision, OfLossesAndGradients) {
  // The loss: of four roundings, were they all one way. The gradient turns where ReLU and pooling decide otherwise: at each of the 17 a
  // share of a few u of what flows.
  struct Format {
    Precision precision;
    double u;
  };
  constexpr double kLossRoundings = 4;
  constexpr double kDecisions = 64;
  StyleOptions options;
  options.iterations = 1;
  options.tv_weight = 0.1;
  for (const Pooling pooling : {Pooling::kMax, Pooling::kAverage}) {
    options.pooling = pooling;
    const Outcome expected = transfer(*make_backend({.kind = BackendKind::kReferenceDouble}), options, kLayers, 64, 48);
    for (const Format& one : {Format{Precision::kFp32, 0x1p-24}, Format{Precision::kTf32, 0x1p-11}, Format{Precision::kFp16, 0x1p-11},
                              Format{Precision::kBf16, 0x1p-9}}) {
      const Outcome actual = transfer(*make_cuda_backend({.precision = one.precision}), options, kLayers, 64, 48);
      const double loss = std::abs(actual.losses[0] / expected.losses[0] - 1);
      const double direction = distance_of_directions(actual.first_gradient, expected.first_gradient);
      std::printf("| %s | %s | %.1e | %.1e |\n", to_string(one.precision), pooling == Pooling::kMax ? "max" : "average", loss, direction);
      EXPECT_LE(loss, kLossRoundings * one.u) << to_string(one.precision);
      EXPECT_LE(direction, kDecisions * one.u) << to_string(one.precision);
    }
  }
}

// A device whose features have binary16's range: the scales of activations and gradients.
class HalfRange : public testing::Test {
 protected:
  static constexpr double kU = 0x1p-11;
  static std::vector<double> gradient(const std::vector<double>& evaluated) {
    return {evaluated.begin(), evaluated.begin() + Scene::kShape.size()};
  }
  static double loss(const std::vector<double>& evaluated) { return evaluated[static_cast<std::size_t>(Scene::kShape.size())]; }

  // As far as rounding goes, those of the reference in double.
  static void expect_close(const std::vector<double>& actual, const std::vector<double>& expected) {
    EXPECT_NEAR(loss(actual) / loss(expected), 1, 4 * kU);
    EXPECT_LE(distance_of_directions(gradient(actual), gradient(expected)), 64 * kU);
  }

  std::unique_ptr<Backend> half_ = make_cuda_backend({.precision = Precision::kFp16});
  std::unique_ptr<Backend> reference_ = make_backend({.kind = BackendKind::kReferenceDouble});
};

// Whatever the losses weigh, gradients are kept where binary16 has all its digits.
TEST_F(HalfRange, PowersOfTwoOfAllWeightsChangeNoDigit) {
  const std::vector<double> expected = Scene(*half_).evaluate(3);
  for (const double loss_scale : {0x1p-40, 0x1p-3, 0x1p+30}) {
    std::vector<double> scaled = Scene(*half_, 1000, loss_scale).evaluate(3);
    for (double& value : scaled) value /= loss_scale;
    EXPECT_EQ(scaled, expected) << loss_scale;
  }
}

TEST_F(HalfRange, AgreesWithTheReferenceForAnyStyleWeight) {
  for (const double style_weight : {1e-6, 1e-3, 1.0, 1e3, 1e12}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(style_weight));
    Scene scene(*half_, style_weight);
    expect_close(scene.evaluate(3), Scene(*reference_, style_weight).evaluate(3));
    EXPECT_EQ(scene.repeated(), 0);
  }
}

TEST_F(HalfRange, GradientsPastItAreComputedAgain) {
  Scene scene(*half_);
  Scene reference(*reference_);
  const std::vector<double> usual = scene.evaluate(3);
  int repeated = 0;
  for (const double contrast : {1.0, 2000.0, 10000.0}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, std::to_string(contrast));
    const std::vector<double> first = scene.evaluate(4, 0, contrast);
    expect_close(first, reference.evaluate(4, 0, contrast));
    if (contrast > 1) ++repeated;
    EXPECT_EQ(scene.repeated(), repeated);
    // Nothing of it stays, and it comes out the same again, replayed and recorded.
    EXPECT_EQ(scene.evaluate(3), usual);
    EXPECT_EQ(scene.evaluate(4, 0, contrast), first);
    EXPECT_EQ(scene.evaluate(4, 1, contrast), first);
    if (contrast > 1) repeated += 2;
    EXPECT_EQ(scene.repeated(), repeated);
  }
  scene.set_targets(1000);
  EXPECT_EQ(scene.repeated(), 0);
  EXPECT_EQ(scene.evaluate(3), usual);
}

// Of a picture: losses that are not finite, which an optimiser is never told. Of the content: an error.
TEST_F(HalfRange, ActivationsPastItShow) {
  Scene scene(*half_);
  const std::vector<double> usual = scene.evaluate(3);
  EXPECT_FALSE(std::isfinite(loss(scene.evaluate(3, 0, 1e7))));
  EXPECT_EQ(scene.repeated(), 0);
  EXPECT_EQ(scene.evaluate(3), usual);
  try {
    scene.set_targets(1000, 1e7);
    ADD_FAILURE() << "accepted";
  } catch (const OptionError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("precision is fp16, and activations of these pictures pass 1048064"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  scene.set_targets(1000);
  EXPECT_EQ(scene.evaluate(3), usual);
}

}  // namespace
}  // namespace impasto
