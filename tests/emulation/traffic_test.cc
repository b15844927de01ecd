// What docs/design.md says that an evaluation moves is what bench/cuda/traffic.h adds up, which is what impasto_cuda_bench divides by
// times.
#include "bench/cuda/traffic.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/cuda_backend.h"

namespace impasto {
namespace {

using traffic::Layer;
using traffic::Traffic;

// One line of the table: MB and microseconds of float32 storage, and of 16 bits.
using Line = std::array<double, 4>;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// By the kernel's name, or by what the line says.
std::map<std::string, Line> lines_of_design() {
  std::ifstream file(IMPASTO_DESIGN);
  std::map<std::string, Line> lines;
  bool inside = false;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with("## ")) inside = text == "## Bytes of an evaluation on a device";
    if (!inside || !text.starts_with("| ") || text.starts_with("| kernels")) continue;
    std::vector<std::string> cells;
    std::istringstream stream(text.substr(1));
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
    if (cells.size() != 6) continue;
    std::string name = cells[0];
    if (name.starts_with("`")) name = name.substr(1, name.find('`', 1) - 1);
    lines[name] = {std::stod(cells[2]), std::stod(cells[3]), std::stod(cells[4]), std::stod(cells[5])};
  }
  return lines;
}

std::map<std::string, Traffic> traffic_of_evaluation(Backend& backend, int h, int w, std::int64_t number) {
  std::map<std::string, Traffic> sums;
  const auto add = [&](const std::string& name, Traffic more) { sums[name] = sums[name] + more; };
  const std::vector<Layer> layers = traffic::evaluated_layers(h, w);
  const std::int64_t picture = backend.vector_bytes(std::int64_t{3} * h * w);
  add("image_conv_forward", traffic::image_conv_forward(layers[0].convolved, number));
  add("image_conv_gradient", traffic::image_conv_gradient_with_total_variation(layers[0].convolved, number));
  // Goes with the gradient.
  add("total_variation", {});
  for (const Layer& layer : layers) {
    if (layer.pools) {
      add("pool", traffic::pool(layer.convolved, number));
      add("unpool", traffic::unpool(layer.convolved, number));
    } else if (layer.name != "conv1_1") {
      add("record_positive", traffic::record_positive(layer.convolved, number));
      add("pass_masked", traffic::pass_masked(layer.convolved, number));
    }
    if (layer.name == "conv4_2") add("feature_distance", traffic::feature_distance(layer.convolved, number));
    if (!layer.name.ends_with("_1")) continue;
    const std::int64_t c = layer.convolved.c;
    add("finish_gram", traffic::finish_gram(backend.gram_scratch_bytes(layer.convolved) / traffic::floats(c * c), c));
    add("finish_gram", traffic::gram_difference(c));
  }
  const std::string norms = "norms of the gradient, clearing the deepest one";
  add(norms, traffic::norms(picture));
  add(norms, traffic::dots(1, picture, 0, picture));
  add(norms, traffic::fill_zero(layers.back().convolved, number));
  Traffic all;
  for (const auto& [name, sum] : sums) all = all + sum;
  sums["all"] = all;
  return sums;
}

TEST(Traffic, OfAnEvaluationIsWhatTheDesignSays) {
  constexpr int kSize = 512;
  // 85% of 4.3 TB/s, in MB a microsecond.
  constexpr double kRate = 0.85 * 4.3;
  const std::map<std::string, Line> lines = lines_of_design();
  const std::unique_ptr<Backend> backend = make_cuda_backend({.precision = Precision::kFp32});
  for (const std::int64_t number : {4, 2}) {
    const std::map<std::string, Traffic> sums = traffic_of_evaluation(*backend, kSize, kSize, number);
    ASSERT_EQ(lines.size(), sums.size());
    for (const auto& [name, sum] : sums) {
      ASSERT_TRUE(lines.contains(name)) << name;
      const double said_mb = lines.at(name)[number == 4 ? 0 : 2];
      const double said_us = lines.at(name)[number == 4 ? 1 : 3];
      const double mb = static_cast<double>(sum.moved()) * 1e-6;
      // As many digits as are there.
      EXPECT_NEAR(mb, said_mb, name == "all" ? 0.5 : 0.05) << name << ", " << number << " bytes a number";
      EXPECT_NEAR(mb / kRate, said_us, 0.5) << name << ", " << number << " bytes a number";
    }
  }
}

// The sizes of what a kernel takes, as the backend has them.
TEST(Traffic, CountsTheBackendsBytes) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const std::unique_ptr<Backend> backend = make_cuda_backend({.precision = precision});
    const std::int64_t number = precision == Precision::kFp32 ? 4 : 2;
    for (const Shape shape : {Shape{64, 6, 10}, Shape{33, 5, 7}}) {
      EXPECT_EQ(traffic::features(shape, number), backend->features_bytes(shape));
      EXPECT_EQ(traffic::mask(shape), backend->mask_bytes(shape));
      EXPECT_EQ(traffic::picture(shape), backend->vector_bytes(3 * shape.plane()));
    }
  }
}

}  // namespace
}  // namespace impasto
