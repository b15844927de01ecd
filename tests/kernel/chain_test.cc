// Operations handing each other their outputs, as the engine strings them together: what one leaves in the parts of an activation
// that no download shows (padding of channels, rows and columns) must not disturb the next.
#include <algorithm>
#include <cmath>

#include "tests/kernel/proof.h"
#include "tests/support/random.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

struct Weights {
  std::vector<float> weight;
  std::vector<float> bias;

  Weights(std::uint64_t seed, int in, int out)
      : weight(narrow(normal(seed, std::int64_t{9} * in * out, std::sqrt(2.0 / (9 * in))))), bias(narrow(normal(seed + 1, out, 0.1))) {}
};

// picture -> conv a, ReLU -> conv b, ReLU, pool -> conv c -> ReLU; Gram of a, distance at the ReLU of c, and their gradient down to
// the picture. Channel counts a and b as given, odd plane. recorded: the outputs are those of a replay, after one for another picture.
Outputs small_network(Workbench& bench, Shape picture, int a_channels, int b_channels, PoolKind pool_kind, bool recorded = false) {
  Backend& backend = bench.backend();
  const Weights a(1, 3, a_channels);
  const Weights b(3, a_channels, b_channels);
  const Weights c(5, b_channels, a_channels);
  const Epilogue with_pool = pool_kind == PoolKind::kMax ? Epilogue::kReluMaxPool : Epilogue::kReluAveragePool;
  const Shape full_a{a_channels, picture.h, picture.w};
  const Shape full_b{b_channels, picture.h, picture.w};
  const Shape half_b{b_channels, picture.h / 2, picture.w / 2};
  const Shape half_c{a_channels, picture.h / 2, picture.w / 2};
  const auto filters_a = backend.load_filters({3, a_channels, true, a.weight, a.bias});
  const auto filters_b = backend.load_filters({a_channels, b_channels, false, b.weight, b.bias});
  const auto filters_c = backend.load_filters({b_channels, a_channels, false, c.weight, c.bias});
  const auto conv_a = backend.plan_conv3x3({full_a.h, full_a.w, Epilogue::kRelu, filters_a.get()});
  const auto conv_b = backend.plan_conv3x3({full_b.h, full_b.w, with_pool, filters_b.get()});
  const auto conv_c = backend.plan_conv3x3({half_c.h, half_c.w, Epilogue::kNone, filters_c.get()});
  void* scratch = bench.scratch(std::max({conv_a->scratch_bytes(), conv_b->scratch_bytes(), conv_c->scratch_bytes(),
                                          backend.gram_scratch_bytes(full_a), backend.gram_scratch_bytes(half_c)}));

  const Vector x = bench.vector(normal(7, picture.size()));
  const Features out_a = bench.features(full_a);
  const Features out_b = bench.features(half_b);
  const Features out_c = bench.features(half_c);
  const Features rectified_c = bench.features(half_c);
  const Mask mask_a = bench.mask(full_a);
  const Mask mask_b = bench.mask(full_b);
  const Mask mask_c = bench.mask(half_c);
  const Vector gram_a = bench.vector(std::int64_t{a_channels} * a_channels);
  const Vector gram_c = bench.vector(std::int64_t{a_channels} * a_channels);
  const Features grad_c = bench.features(half_c);
  double* distance = bench.results(1);
  const Features kept_c = bench.features(half_c, normal(8, half_c.size()));
  const Features grad_b = bench.features(half_b);
  const Features grad_a = bench.features(full_a);
  const Vector grad_x = bench.vector(picture.size());
  double* variation = bench.results(1);
  double* norms = bench.results(2);

  const auto compute = [&] {
    conv_a->forward({x.data, picture}, out_a, mask_a, scratch);
    conv_b->forward(out_a, out_b, mask_b, scratch);
    conv_c->forward(out_b, out_c, {}, scratch);
    backend.relu(out_c, rectified_c, mask_c);
    backend.gram(out_a, gram_a, scratch);
    backend.gram(rectified_c, gram_c, scratch);
    backend.fill_zero(grad_c);
    backend.feature_distance(rectified_c, kept_c, 0.01, grad_c, distance);
    backend.gram_gradient({rectified_c, gram_c, 0.01}, grad_c, scratch);
    backend.relu_gradient(mask_c, grad_c);
    conv_c->gradient(grad_c, {}, grad_b, scratch);
    const GramTerm style_a{out_a, gram_a, 0.001};
    conv_b->gradient(grad_b, mask_b, grad_a, scratch, style_a);
    conv_a->gradient(grad_a, mask_a, {grad_x.data, picture}, scratch, TotalVariationTerm{x, 0.001, variation});
    backend.norms(grad_x, norms);
  };
  if (recorded) {
    const std::vector<double> picture_values = bench.read(x);
    backend.upload(normal(9, picture.size()), x);
    const Recording recording = backend.record(compute);
    backend.upload(picture_values, x);
    recording();
  } else {
    compute();
  }
  return {bench.read(out_a),       bench.read(out_b),    bench.read(rectified_c), bench.read(gram_a),      bench.read(gram_c),
          bench.read(distance, 1), bench.read(norms, 2), bench.read(grad_x),      bench.read(variation, 1)};
}

// 1 - cos of the angle between two gradients: what a few ReLU or pooling decisions taken the other way by rounding hardly change.
double one_minus_cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return 1 - ab / std::sqrt(aa * bb);
}

class Chain : public KernelTest {};
IMPASTO_FOR_EVERY_BACKEND(Chain, kConvolutions);

TEST_P(Chain, AgreesWithTheReference) {
  struct Network {
    Shape picture;
    int a_channels;
    int b_channels;
  };
  for (const Network& network :
       {Network{{3, 13, 17}, 5, 33}, Network{{3, 31, 25}, 64, 17}, Network{{3, 24, 30}, 16, 32}, Network{{3, 2, 3}, 17, 5}}) {
    for (PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
      const testing::ScopedTrace trace(
          __FILE__, __LINE__,
          name(network.picture) + " " + std::to_string(network.a_channels) + " " + std::to_string(network.b_channels) + " " + name(kind));
      const Operation run = [&](Workbench& bench) {
        return small_network(bench, network.picture, network.a_channels, network.b_channels, kind);
      };
      const Outputs expected = expected_outputs(GetParam(), run);
      const Outputs actual = proven_outputs(GetParam(), run);
      const Tolerance tolerance = GetParam().convolution.times(tolerance::kStagesOfChain);
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(close(actual[i], expected[i], tolerance)) << "output " << i;
      EXPECT_TRUE(close(actual[6], expected[6], GetParam().norm_across_kinks)) << "norms of the gradient";
      EXPECT_LE(one_minus_cosine(actual[7], expected[7]), GetParam().cosine_across_kinks);
      EXPECT_TRUE(close(actual[8], expected[8], tolerance::kFloatTerms)) << "total variation";
    }
  }
}

// Other values in the same memory, the same bits as without a recording.
TEST_P(Chain, ReplaysWhatWasRecorded) {
  for (PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(kind));
    const auto run = [&](bool recorded) {
      return proven_outputs(GetParam(), [&](Workbench& bench) { return small_network(bench, {3, 13, 17}, 5, 33, kind, recorded); });
    };
    const Outputs called = run(false);
    const Outputs replayed = run(true);
    ASSERT_EQ(replayed.size(), called.size());
    for (std::size_t i = 0; i < called.size(); ++i) EXPECT_TRUE(same_bits(replayed[i], called[i])) << "output " << i;
  }
}

}  // namespace
}  // namespace impasto::testing_support
