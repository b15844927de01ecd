// plan_conv3x3: forward and gradient, for every epilogue.
#include <algorithm>
#include <cmath>

#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

struct Layer {
  Shape input;
  int out_channels;
  bool reads_image = false;

  Shape convolved() const { return {out_channels, input.h, input.w}; }
  Shape output(Epilogue epilogue) const { return pools(epilogue) ? Shape{out_channels, input.h / 2, input.w / 2} : convolved(); }
  bool fits(Epilogue epilogue) const { return !pools(epilogue) || (input.h >= 2 && input.w >= 2); }
};

std::string describe(const Layer& layer) {
  return name(layer.input) + (layer.reads_image ? " picture to " : " to ") + std::to_string(layer.out_channels);
}

// One pixel, one row, one column; channel counts around and between multiples of 8 and 16; primes.
const std::vector<Layer> kSmall{
    {{1, 1, 1}, 1},   {{16, 1, 1}, 16}, {{5, 1, 1}, 17},  {{3, 1, 1}, 5, true},    {{1, 1, 9}, 1},  {{17, 7, 1}, 33},
    {{16, 2, 2}, 16}, {{33, 2, 2}, 5},  {{8, 3, 2}, 24},  {{3, 2, 3}, 64, true},   {{5, 3, 3}, 17}, {{15, 2, 19}, 31},
    {{1, 19, 23}, 1}, {{17, 5, 3}, 33}, {{48, 4, 5}, 16}, {{3, 13, 11}, 17, true}, {{2, 31, 7}, 3},
};

// Planes of Winograd's tiles (2, 4 and 6 outputs wide) and one more or less, in both directions, and around 14 tiles in a row.
std::vector<Layer> tile_sizes() {
  std::vector<Layer> layers;
  for (int size : {3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 18, 19}) layers.push_back({{16, size, size}, 16});
  for (int size : {5, 6, 7, 11, 12, 13}) {
    layers.push_back({{16, size, 24}, 32});
    layers.push_back({{32, 24, size}, 16});
    layers.push_back({{3, size, 26}, 16, true});
  }
  for (int width : {55, 56, 57, 83, 84, 85}) layers.push_back({{16, 9, width}, 16});
  // Tiles of both sizes along both axes, as many and not as many.
  for (Shape plane : {Shape{16, 10, 13}, Shape{16, 14, 9}, Shape{16, 15, 20}}) layers.push_back({plane, 32});
  return layers;
}

// VGG19's layers on small planes, and some planes large enough for several threads and blocks.
const std::vector<Layer> kVgg{
    {{3, 20, 19}, 64, true}, {{3, 101, 75}, 64, true}, {{64, 13, 14}, 64},  {{64, 50, 61}, 64}, {{64, 9, 11}, 128},
    {{128, 14, 12}, 128},    {{128, 8, 9}, 256},       {{256, 7, 10}, 256}, {{256, 5, 6}, 512}, {{512, 9, 9}, 512},
};

// Weights and inputs of size such that convolved values have RMS near 1.
struct Setting {
  Layer layer;
  Epilogue epilogue;
  std::vector<float> weight;
  std::vector<float> bias;
  std::vector<double> in;
  std::vector<double> grad_out;

  Setting(const Layer& of_layer, Epilogue with_epilogue) : layer(of_layer), epilogue(with_epilogue) {
    const std::int64_t fan_in = 9 * std::int64_t{layer.input.c};
    weight = narrow(normal(1, fan_in * layer.out_channels, 1 / std::sqrt(static_cast<double>(fan_in))));
    bias = narrow(normal(2, layer.out_channels, 0.3));
    in = normal(3, layer.input.size());
    grad_out = normal(4, layer.output(epilogue).size());
  }

  std::unique_ptr<Filters> filters(Backend& backend) const {
    return backend.load_filters({layer.input.c, layer.out_channels, layer.reads_image, weight, bias});
  }
  ConvSpec spec(const Filters& filters) const { return {layer.input.h, layer.input.w, epilogue, &filters}; }

  // RMS of the gradient with respect to the input where everything flows.
  double gradient_magnitude() const { return std::sqrt(static_cast<double>(layer.out_channels) / layer.input.c); }

  Features input(Workbench& bench, std::span<const double> values) const {
    return layer.reads_image ? bench.picture(layer.input, values) : bench.features(layer.input, values);
  }
  Features input_gradient(Workbench& bench) const { return layer.reads_image ? bench.picture(layer.input) : bench.features(layer.input); }
  std::vector<double> read_input_gradient(Workbench& bench, Features grad_in) const {
    return layer.reads_image ? bench.read_picture(grad_in) : bench.read(grad_in);
  }

  // Output: forward's.
  Outputs forward(Workbench& bench, bool record = true) const {
    const std::unique_ptr<Filters> loaded = filters(bench.backend());
    const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(spec(*loaded));
    const Features out = bench.features(layer.output(epilogue));
    plan->forward(input(bench, in), out, record ? bench.mask(layer.convolved()) : Mask{}, bench.scratch(plan->scratch_bytes()));
    return {bench.read(out)};
  }

  // Outputs: forward's and gradient's.
  Outputs forward_and_gradient(Workbench& bench) const {
    const std::unique_ptr<Filters> loaded = filters(bench.backend());
    const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(spec(*loaded));
    const Features out = bench.features(layer.output(epilogue));
    const Mask mask = bench.mask(layer.convolved());
    const Features grad_in = input_gradient(bench);
    void* scratch = bench.scratch(plan->scratch_bytes());
    plan->forward(input(bench, in), out, mask, scratch);
    plan->gradient(bench.features(layer.output(epilogue), grad_out), mask, grad_in, scratch);
    return {bench.read(out), read_input_gradient(bench, grad_in)};
  }

  // Lets no gradient in where rounding could decide what ReLU lets through or which of four is the largest: where the convolved value
  // is within the margin of 0, or the two largest of a window within it of each other. Returns the share of grad_out left.
  double keep_away_from_kinks(const BackendCase& backend) {
    if (epilogue == Epilogue::kNone) return 1;
    Setting plain = *this;
    plain.epilogue = Epilogue::kNone;
    const std::vector<double> convolved = expected_outputs(backend, [&](Workbench& bench) { return plain.forward(bench); })[0];
    const double margin = backend.kink_margin;
    const auto [h, w] = std::pair(static_cast<std::size_t>(layer.input.h), static_cast<std::size_t>(layer.input.w));
    std::size_t o = 0;
    std::size_t dropped = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(layer.out_channels); ++k) {
      const std::size_t step = pools(epilogue) ? 2 : 1;
      for (std::size_t i = 0; i + step <= h; i += step) {
        for (std::size_t j = 0; j + step <= w; j += step, ++o) {
          std::vector<double> window;
          for (std::size_t y = i; y < i + step; ++y) {
            for (std::size_t x = j; x < j + step; ++x) window.push_back(convolved[(k * h + y) * w + x]);
          }
          std::sort(window.rbegin(), window.rend());
          const bool tie = epilogue == Epilogue::kReluMaxPool && window[0] > -margin && window[0] - window[1] < margin;
          const bool largest_only = epilogue == Epilogue::kReluMaxPool;
          const bool kink = std::any_of(window.begin(), largest_only ? window.begin() + 1 : window.end(),
                                        [margin](double value) { return std::abs(value) < margin; });
          if (tie || kink) {
            grad_out[o] = 0;
            ++dropped;
          }
        }
      }
    }
    return 1 - static_cast<double>(dropped) / static_cast<double>(grad_out.size());
  }
};

class Convolution : public testing::TestWithParam<std::tuple<BackendCase, Epilogue>> {
 protected:
  const BackendCase& backend() const { return std::get<0>(GetParam()); }
  Epilogue epilogue() const { return std::get<1>(GetParam()); }

  void expect_as_reference_on(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) {
      if (!layer.fits(epilogue())) continue;
      const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
      Setting setting(layer, epilogue());
      const double share = setting.keep_away_from_kinks(backend());
      if (setting.grad_out.size() >= 1000) {
        // Most of the gradient is under test: of values of RMS 1 a share of 0.8 margins is that near 0, of windows of four 3.2 margins.
        EXPECT_GT(share, 1 - 8 * backend().kink_margin);
      }
      expect_as_reference(backend(), [&](Workbench& bench) { return setting.forward_and_gradient(bench); },
                          {backend().convolution.with_floor(1), backend().convolution.with_floor(setting.gradient_magnitude())});
    }
  }
};

INSTANTIATE_TEST_SUITE_P(
    , Convolution,
    testing::Combine(testing::ValuesIn(backend_cases()),
                     testing::Values(Epilogue::kNone, Epilogue::kRelu, Epilogue::kReluMaxPool, Epilogue::kReluAveragePool)),
    [](const auto& parameter) { return std::get<0>(parameter.param).name + "_" + name(std::get<1>(parameter.param)); });

TEST_P(Convolution, OfSmallShapes) { expect_as_reference_on(kSmall); }

TEST_P(Convolution, OfTileSizes) { expect_as_reference_on(tile_sizes()); }

TEST_P(Convolution, OfVggLayers) { expect_as_reference_on(kVgg); }

TEST_P(Convolution, WithLittleMemory) {
  for (const Layer& layer : {Layer{{3, 13, 11}, 17, true}, Layer{{16, 12, 12}, 16}, Layer{{33, 5, 7}, 5}, Layer{{64, 26, 30}, 64}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
    Setting setting(layer, epilogue());
    setting.keep_away_from_kinks(backend());
    const auto operation = [&](Workbench& bench) {
      const std::unique_ptr<Filters> loaded = setting.filters(bench.backend());
      const auto scratch_bytes = [&] { return bench.backend().plan_conv3x3(setting.spec(*loaded))->scratch_bytes(); };
      const std::int64_t quickest = scratch_bytes();
      const bool has_choice = bench.backend().prefer_memory(true);
      const std::int64_t lean = scratch_bytes();
      const Outputs outputs = setting.forward_and_gradient(bench);
      bench.backend().prefer_memory(false);
      EXPECT_LE(lean, quickest);
      if (!has_choice) {
        EXPECT_EQ(lean, quickest);
      }
      EXPECT_EQ(scratch_bytes(), quickest);
      return outputs;
    };
    expect_as_reference(backend(), operation,
                        {backend().convolution.with_floor(1), backend().convolution.with_floor(setting.gradient_magnitude())});
  }
}

TEST_P(Convolution, GivesTheSameWithoutRecording) {
  for (const Layer& layer : {Layer{{3, 13, 11}, 17, true}, Layer{{16, 12, 12}, 16}, Layer{{33, 5, 7}, 5}}) {
    const Setting setting(layer, epilogue());
    const Outputs recording = proven_outputs(backend(), [&](Workbench& bench) { return setting.forward(bench, true); });
    const Outputs silent = proven_outputs(backend(), [&](Workbench& bench) { return setting.forward(bench, false); });
    EXPECT_TRUE(same_bits(silent[0], recording[0])) << describe(layer);
  }
}

// As the gradient and then the term by itself. The plane of 50 x 61 is several blocks of tiles, cut in the middle of their rows.
TEST_P(Convolution, AddsTheGradientOfAGramMatrix) {
  for (const Layer& layer : {Layer{{5, 3, 2}, 17}, Layer{{64, 50, 61}, 64}, Layer{{33, 13, 37}, 16}, Layer{{128, 14, 12}, 128},
                             Layer{{256, 5, 6}, 512}, Layer{{512, 6, 7}, 32}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
    Setting setting(layer, epilogue());
    setting.keep_away_from_kinks(backend());
    const std::int64_t c = layer.input.c;
    std::vector<double> grad_g = normal(21, c * c);
    for (std::int64_t i = 0; i < c; ++i) {
      for (std::int64_t j = 0; j < i; ++j) grad_g[static_cast<std::size_t>(i * c + j)] = grad_g[static_cast<std::size_t>(j * c + i)];
    }
    const double scale = 1 / std::sqrt(static_cast<double>(c));  // terms of RMS near 1
    const auto added = [&](bool apart) {
      return [&, apart](Workbench& bench) {
        const std::unique_ptr<Filters> loaded = setting.filters(bench.backend());
        const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(setting.spec(*loaded));
        const Mask mask = bench.mask(layer.convolved());
        const Features grad_in = bench.features(layer.input);
        const Features in = bench.features(layer.input, setting.in);
        const GramTerm term{in, bench.vector(grad_g), scale};
        const std::int64_t more = apart ? bench.backend().gram_scratch_bytes(layer.input) : 0;
        void* scratch = bench.scratch(std::max(plan->scratch_bytes(), more));
        plan->forward(in, bench.features(layer.output(epilogue())), mask, scratch);
        const Features grad_out = bench.features(layer.output(epilogue()), setting.grad_out);
        plan->gradient(grad_out, mask, grad_in, scratch, apart ? LossTerm{} : term);
        if (apart) bench.backend().gram_gradient(term, grad_in, scratch);
        return Outputs{bench.read(grad_in)};
      };
    };
    EXPECT_TRUE(equal(expected_outputs(backend(), added(false))[0], expected_outputs(backend(), added(true))[0]));
    const Tolerance either{std::max(backend().convolution.element, tolerance::kMatrixProduct.element),
                           std::max(backend().convolution.norm, tolerance::kMatrixProduct.norm)};
    expect_as_reference(backend(), added(false), {either.with_floor(setting.gradient_magnitude() + 1)});
  }
}

// As the gradient and then the term by itself. Planes around the tiles and strips of rows that kernels take.
TEST_P(Convolution, AddsTheTotalVariationOfAPicture) {
  for (const Layer& layer :
       {Layer{{3, 1, 1}, 5, true}, Layer{{3, 1, 9}, 16, true}, Layer{{3, 9, 1}, 16, true}, Layer{{3, 2, 3}, 64, true},
        Layer{{3, 13, 11}, 17, true}, Layer{{3, 16, 32}, 16, true}, Layer{{3, 17, 33}, 6, true}, Layer{{3, 101, 75}, 64, true}}) {
    if (!layer.fits(epilogue())) continue;
    const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
    Setting setting(layer, epilogue());
    setting.keep_away_from_kinks(backend());
    // Not what the convolution read.
    const std::vector<double> x = normal(23, layer.input.size());
    constexpr double kScale = -0.7;
    const auto added = [&](bool apart) {
      return [&, apart](Workbench& bench) {
        const std::unique_ptr<Filters> loaded = setting.filters(bench.backend());
        const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(setting.spec(*loaded));
        const Mask mask = bench.mask(layer.convolved());
        const Features grad_in = bench.picture(layer.input);
        const TotalVariationTerm term{bench.vector(x), kScale, bench.results(1)};
        void* scratch = bench.scratch(plan->scratch_bytes());
        const Features grad_out = bench.features(layer.output(epilogue()), setting.grad_out);
        plan->forward(bench.picture(layer.input, setting.in), bench.features(layer.output(epilogue())), mask, scratch);
        plan->gradient(grad_out, mask, grad_in, scratch, apart ? LossTerm{} : term);
        const Vector grad{grad_in.data, layer.input.size()};
        if (apart) bench.backend().total_variation(term.x, layer.input, term.scale, grad, term.result);
        return Outputs{bench.read(grad), bench.read(term.result, 1), bench.read(term.x)};
      };
    };
    const Outputs expected = expected_outputs(backend(), added(true));
    EXPECT_TRUE(equal(expected_outputs(backend(), added(false))[0], expected[0]));
    const Outputs joined = proven_outputs(backend(), added(false));
    const Outputs apart = proven_outputs(backend(), added(true));
    EXPECT_TRUE(close(joined[0], expected[0], backend().convolution.with_floor(setting.gradient_magnitude() + 1)));
    EXPECT_TRUE(close(joined[0], apart[0], tolerance::kFloatExpression.with_floor(1)));
    EXPECT_TRUE(close(joined[1], expected[1], tolerance::kFloatTerms));
    EXPECT_TRUE(close(joined[1], apart[1], tolerance::kDoubleSum));
    EXPECT_TRUE(equal(joined[2], expected[2]));
  }
}

// The gradient belongs to what the mask recorded, not to what the plan did last.
TEST_P(Convolution, KeepsNothingOfAnEarlierForward) {
  const Setting setting({{16, 9, 10}, 16}, epilogue());
  const Outputs alone = proven_outputs(backend(), [&](Workbench& bench) { return setting.forward_and_gradient(bench); });
  const Outputs interleaved = proven_outputs(backend(), [&](Workbench& bench) {
    const std::unique_ptr<Filters> loaded = setting.filters(bench.backend());
    const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(setting.spec(*loaded));
    void* scratch = bench.scratch(plan->scratch_bytes());
    const Shape out_shape = setting.layer.output(epilogue());
    const Features out = bench.features(out_shape);
    const Mask mask = bench.mask(setting.layer.convolved());
    plan->forward(bench.features(setting.layer.input, setting.in), out, mask, scratch);
    plan->forward(bench.features(setting.layer.input, normal(99, setting.layer.input.size())), bench.features(out_shape),
                  bench.mask(setting.layer.convolved()), scratch);
    const Features grad_in = bench.features(setting.layer.input);
    plan->gradient(bench.features(out_shape, setting.grad_out), mask, grad_in, scratch);
    return Outputs{bench.read(out), bench.read(grad_in)};
  });
  EXPECT_TRUE(same_bits(interleaved[0], alone[0]));
  EXPECT_TRUE(same_bits(interleaved[1], alone[1]));
}

class ConvolutionOfAPicture : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(ConvolutionOfAPicture, kConvolutions);

// More than 4 MiB, which the CPU writes past its cache.
TEST_P(ConvolutionOfAPicture, ToALargePlane) {
  Setting setting({{3, 137, 129}, 64, true}, Epilogue::kRelu);
  setting.keep_away_from_kinks(GetParam());
  expect_as_reference(GetParam(), [&](Workbench& bench) { return setting.forward_and_gradient(bench); },
                      {GetParam().convolution.with_floor(1), GetParam().convolution.with_floor(setting.gradient_magnitude())});
}

class ConvolutionWithMaxPool : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(ConvolutionWithMaxPool, kConvolutions);

// Of a constant picture every convolved value away from the border is the same: PyTorch gives the whole gradient to the first of the four.
TEST_P(ConvolutionWithMaxPool, GivesTheGradientOfEqualValuesToTheFirst) {
  for (const Layer& layer : {Layer{{3, 18, 22}, 64, true}, Layer{{64, 20, 18}, 64}, Layer{{17, 30, 31}, 33}, Layer{{512, 12, 14}, 32}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
    Setting setting(layer, Epilogue::kReluMaxPool);
    for (int c = 0; c < layer.input.c; ++c) {
      const double constant = normal(50, layer.input.c)[static_cast<std::size_t>(c)];
      std::fill_n(setting.in.begin() + c * layer.input.plane(), layer.input.plane(), constant);
    }
    // Nothing from windows that touch the border, nor from channels near ReLU's kink.
    Setting average = setting;
    average.epilogue = Epilogue::kRelu;
    const std::vector<double> rectified = expected_outputs(GetParam(), [&](Workbench& bench) { return average.forward(bench); })[0];
    const Shape out = layer.output(Epilogue::kReluMaxPool);
    int under_test = 0;
    for (int k = 0; k < out.c; ++k) {
      const bool clear = rectified[static_cast<std::size_t>(k * layer.input.plane() + layer.input.w + 1)] > GetParam().kink_margin;
      under_test += clear ? 1 : 0;
      for (int i = 0; i < out.h; ++i) {
        for (int j = 0; j < out.w; ++j) {
          const bool inside = i > 0 && j > 0 && 2 * i + 2 < layer.input.h && 2 * j + 2 < layer.input.w;
          if (!(inside && clear)) setting.grad_out[static_cast<std::size_t>((k * out.h + i) * out.w + j)] = 0;
        }
      }
    }
    EXPECT_GE(under_test, 8);
    expect_as_reference(GetParam(), [&](Workbench& bench) { return Outputs{setting.forward_and_gradient(bench)[1]}; },
                        {GetParam().convolution.with_floor(setting.gradient_magnitude())});
    // The reference itself: the same gradient put by hand at the first of each four, through the convolution alone.
    Setting by_hand = setting;
    by_hand.epilogue = Epilogue::kNone;
    by_hand.grad_out.assign(static_cast<std::size_t>(layer.convolved().size()), 0);
    for (int k = 0; k < out.c; ++k) {
      for (int i = 0; i < out.h; ++i) {
        for (int j = 0; j < out.w; ++j) {
          by_hand.grad_out[static_cast<std::size_t>((k * layer.input.h + 2 * i) * layer.input.w + 2 * j)] =
              setting.grad_out[static_cast<std::size_t>((k * out.h + i) * out.w + j)];
        }
      }
    }
    EXPECT_TRUE(equal(expected_outputs(GetParam(), [&](Workbench& bench) { return setting.forward_and_gradient(bench); })[1],
                      expected_outputs(GetParam(), [&](Workbench& bench) { return by_hand.forward_and_gradient(bench); })[1]));
  }
}

class PlainConvolution : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(PlainConvolution, kConvolutions);

// Small integers: every product and sum of the direct method is exact; Winograd's constants are not all binary fractions.
TEST_P(PlainConvolution, OfIntegersIsExactWhereTheMethodIsDirect) {
  for (const Layer& layer : {Layer{{1, 1, 1}, 1}, Layer{{3, 13, 11}, 17, true}, Layer{{33, 7, 12}, 16}}) {
    Setting setting(layer, Epilogue::kReluMaxPool);
    const std::int64_t weights = std::int64_t{9} * layer.input.c * layer.out_channels;
    if (!layer.fits(setting.epilogue)) setting.epilogue = Epilogue::kRelu;
    setting.weight = narrow(integers(11, weights, -4, 4));
    setting.bias = narrow(integers(12, layer.out_channels, -9, 9));
    setting.in = integers(13, layer.input.size(), -7, 7);
    setting.grad_out = integers(14, layer.output(setting.epilogue).size(), -5, 5);
    if (GetParam().name == "reference_float") {
      expect_equal_to_reference(GetParam(), [&](Workbench& bench) { return setting.forward_and_gradient(bench); });
    } else {
      expect_as_reference(GetParam(), [&](Workbench& bench) { return setting.forward(bench); }, {GetParam().convolution});
    }
  }
}

TEST_P(PlainConvolution, RecordsWhereItsOutputIsPositive) {
  for (const Layer& layer : {Layer{{3, 13, 11}, 17, true}, Layer{{3, 9, 10}, 64, true}, Layer{{5, 1, 1}, 17}, Layer{{16, 12, 12}, 16},
                             Layer{{33, 5, 7}, 5}, Layer{{64, 13, 14}, 64}, Layer{{8, 17, 19}, 96}}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, describe(layer));
    const Setting setting(layer, Epilogue::kRelu);
    const Outputs outputs = proven_outputs(GetParam(), [&](Workbench& bench) {
      const std::unique_ptr<Filters> loaded = setting.filters(bench.backend());
      const std::unique_ptr<ConvPlan> plan = bench.backend().plan_conv3x3(setting.spec(*loaded));
      const Features out = bench.features(layer.convolved());
      const Mask mask = bench.mask(layer.convolved());
      plan->forward(setting.input(bench, setting.in), out, mask, bench.scratch(plan->scratch_bytes()));
      const Features passed = bench.features(layer.convolved(), std::vector<double>(static_cast<std::size_t>(layer.convolved().size()), 1));
      bench.backend().relu_gradient(mask, passed);
      return Outputs{bench.read(out), bench.read(passed)};
    });
    std::vector<double> positive;
    for (double value : outputs[0]) positive.push_back(value > 0 ? 1 : 0);
    EXPECT_TRUE(equal(outputs[1], positive));
  }
}

// A picture that is not finite must not give finite features: the run has to notice.
TEST_P(PlainConvolution, CarriesNanToWhatItReaches) {
  for (Epilogue epilogue : {Epilogue::kNone, Epilogue::kRelu, Epilogue::kReluAveragePool, Epilogue::kReluMaxPool}) {
    for (const Layer& layer : {Layer{{3, 9, 10}, 16, true}, Layer{{16, 9, 10}, 16}}) {
      Setting setting(layer, epilogue);
      setting.in[static_cast<std::size_t>(4 * layer.input.w + 5)] = std::nan("");
      const std::vector<double> out = proven_outputs(GetParam(), [&](Workbench& bench) { return setting.forward(bench); })[0];
      EXPECT_TRUE(std::any_of(out.begin(), out.end(), [](double value) { return std::isnan(value); }))
          << describe(layer) << " " << name(epilogue);
    }
  }
}

}  // namespace
}  // namespace impasto::testing_support
