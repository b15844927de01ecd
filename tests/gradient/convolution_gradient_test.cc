// The convolution's gradient for every epilogue, and the convolution itself against its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tests/gradient/double_reference.h"
#include "tests/support/compare.h"
#include "tests/support/names.h"
#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

// out[k, i, j] = bias[k] + sum over c, di, dj of weight[k, c, di, dj] in[c, i + di - 1, j + dj - 1], zero outside.
std::vector<double> convolution_by_definition(std::span<const double> in, Shape s, std::span<const float> weight,
                                              std::span<const float> bias) {
  std::vector<double> out;
  for (std::size_t k = 0; k < bias.size(); ++k) {
    for (int i = 0; i < s.h; ++i) {
      for (int j = 0; j < s.w; ++j) {
        double sum = bias[k];
        for (int c = 0; c < s.c; ++c) {
          for (int y = std::max(i - 1, 0); y <= std::min(i + 1, s.h - 1); ++y) {
            for (int x = std::max(j - 1, 0); x <= std::min(j + 1, s.w - 1); ++x) {
              const std::size_t tap =
                  ((k * static_cast<std::size_t>(s.c) + static_cast<std::size_t>(c)) * 3 + static_cast<std::size_t>(y - i + 1)) * 3 +
                  static_cast<std::size_t>(x - j + 1);
              sum += weight[tap] * in[static_cast<std::size_t>((c * s.h + y) * s.w + x)];
            }
          }
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

// The least distance of any ReLU argument from 0, and of the two largest of any 2x2 window from each other.
double distance_from_kinks(std::span<const double> convolved, Shape s, Epilogue epilogue) {
  double least = std::numeric_limits<double>::infinity();
  for (double value : convolved) least = std::min(least, std::abs(value));
  if (epilogue != Epilogue::kReluMaxPool) return least;
  for (int c = 0; c < s.c; ++c) {
    for (int i = 0; i + 1 < s.h; i += 2) {
      for (int j = 0; j + 1 < s.w; j += 2) {
        const std::size_t at = static_cast<std::size_t>((c * s.h + i) * s.w + j);
        const std::size_t w = static_cast<std::size_t>(s.w);
        std::vector<double> window{convolved[at], convolved[at + 1], convolved[at + w], convolved[at + w + 1]};
        std::sort(window.begin(), window.end());
        least = std::min(least, window[3] - window[2]);
      }
    }
  }
  return least;
}

class ConvolutionGradient : public testing::TestWithParam<Epilogue> {};

TEST_P(ConvolutionGradient, AgreesWithFiniteDifferences) {
  const std::unique_ptr<Backend> backend = double_reference();
  std::uint64_t seed = 100;
  for (Shape shape : small_shapes()) {
    if (pools(GetParam()) && (shape.h < 2 || shape.w < 2)) continue;
    for (int out_channels : {1, 4}) {
      for (bool reads_image : {false, true}) {
        if (reads_image && shape.c != 3) continue;
        const testing::ScopedTrace trace(__FILE__, __LINE__, name(shape) + " to " + std::to_string(out_channels));
        const Shape convolved{out_channels, shape.h, shape.w};
        const Shape out_shape = pools(GetParam()) ? Shape{out_channels, shape.h / 2, shape.w / 2} : convolved;
        std::vector<float> weight;
        std::vector<float> bias;
        std::vector<double> x;
        // No element moves an output by more than the largest weight times the step: inputs are drawn until every kink is further away.
        double margin = 0;
        double reach = 1;
        while (!(margin > 2 * reach)) {
          ++seed;
          weight = narrow(normal(seed, std::int64_t{out_channels} * shape.c * 9, 0.5));
          bias = narrow(normal(seed + 1000, out_channels));
          x = normal(seed + 2000, shape.size());
          margin = distance_from_kinks(convolution_by_definition(x, shape, weight, bias), convolved, GetParam());
          reach =
              kStep * std::abs(*std::max_element(weight.begin(), weight.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
        }
        const std::vector<double> grad_out = normal(seed + 3000, out_shape.size());

        Workbench bench(*backend);
        const std::unique_ptr<Filters> filters = backend->load_filters({shape.c, out_channels, reads_image, weight, bias});
        const std::unique_ptr<ConvPlan> plan = backend->plan_conv3x3({shape.h, shape.w, GetParam(), filters.get()});
        const Features in = reads_image ? bench.picture(shape) : bench.features(shape);
        const auto upload = [&](std::span<const double> values) {
          reads_image ? backend->upload(values, Vector{in.data, shape.size()}) : backend->upload(values, in);
        };
        const Features out = bench.features(out_shape);
        const Mask mask = bench.mask(convolved);
        void* scratch = bench.scratch(plan->scratch_bytes());
        const std::vector<double> numeric = finite_differences(
            [&](std::span<const double> at) {
              upload(at);
              plan->forward(in, out, {}, scratch);
              return dot(bench.read(out), grad_out);
            },
            x);
        upload(x);
        plan->forward(in, out, mask, scratch);
        const Features grad_in = reads_image ? bench.picture(shape) : bench.features(shape);
        plan->gradient(bench.features(out_shape, grad_out), mask, grad_in, scratch);
        EXPECT_TRUE(close(reads_image ? bench.read_picture(grad_in) : bench.read(grad_in), numeric, tolerance::kFiniteDifference));
        EXPECT_EQ(bench.damage(), "");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Epilogues, ConvolutionGradient,
                         testing::Values(Epilogue::kNone, Epilogue::kRelu, Epilogue::kReluMaxPool, Epilogue::kReluAveragePool),
                         ParameterName());

TEST(Convolution, AgreesWithItsDefinition) {
  const std::unique_ptr<Backend> backend = double_reference();
  std::vector<Shape> shapes = small_shapes();
  shapes.push_back({17, 13, 11});
  for (Shape shape : shapes) {
    for (int out_channels : {1, 5, 20}) {
      const std::vector<float> weight = narrow(normal(1, std::int64_t{out_channels} * shape.c * 9));
      const std::vector<float> bias = narrow(normal(2, out_channels));
      const std::vector<double> x = normal(3, shape.size());
      Workbench bench(*backend);
      const std::unique_ptr<Filters> filters = backend->load_filters({shape.c, out_channels, false, weight, bias});
      const std::unique_ptr<ConvPlan> plan = backend->plan_conv3x3({shape.h, shape.w, Epilogue::kNone, filters.get()});
      const Features out = bench.features({out_channels, shape.h, shape.w});
      plan->forward(bench.features(shape, x), out, {}, bench.scratch(plan->scratch_bytes()));
      EXPECT_TRUE(close(bench.read(out), convolution_by_definition(x, shape, weight, bias), tolerance::kDoubleReordered.with_floor(1)));
      EXPECT_EQ(bench.damage(), "");
    }
  }
}

}  // namespace
}  // namespace impasto::testing_support
