// What the golden tests share: the golden files, the weights they were made with, the devices to check, the comparison.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "impasto/options.h"
#include "impasto/session.h"

namespace impasto::golden {

// tests/golden/goldens/<name>.
std::string golden_path(const std::string& name);
nlohmann::json read_golden(const std::string& name);

// $IMPASTO_WEIGHTS, else vgg19-oxford.h5 where tools/get-weights puts it.
std::string weights_path();
// "" when that file holds the very numbers the goldens were made with, otherwise why the tests cannot run.
std::string why_no_weights(const nlohmann::json& golden);

// Everything else at its default.
SessionOptions on(Device device, const std::string& cpu_isa = "", int tile = 0);

// A device to check and what is allowed to it.
struct DeviceCase {
  std::string name;
  SessionOptions options;
  // Relative error of every term of the loss, and 1 - cos of the gradient.
  double loss_tolerance = 0;
  double cosine_tolerance = 0;
  // Runs the small cases only.
  bool slow = false;
};
std::vector<DeviceCase> devices();
inline std::string name(const testing::TestParamInfo<DeviceCase>& device) { return device.param.name; }
inline void PrintTo(const DeviceCase& device, std::ostream* out) { *out << device.name; }

// The "options" of evaluations.json.
StyleOptions style_options(const nlohmann::json& options);

// The largest relative error of total and terms against golden["losses"]; infinite where a term is not finite, or not 0 where it should be.
double loss_error(const Losses& losses, const nlohmann::json& golden);

// A bound on 1 - cos from golden["gradient_norm"] and golden["gradient_sketch"]: half the squared distance of the two gradients over
// the product of their norms, which is 1 - cos where the norms agree and more where they do not. NaN where a gradient is not finite.
double sketched_cosine_distance(std::span<const double> gradient, const nlohmann::json& golden);

// The same, exactly, from all elements.
double cosine_distance(std::span<const double> gradient, std::span<const float> expected);

}  // namespace impasto::golden
