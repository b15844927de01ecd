#include "tests/kernel/backend_cases.h"

#include <algorithm>
#include <cctype>

#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

std::function<std::unique_ptr<Backend>()> variant(const BackendOptions& options) {
  return [options] { return make_backend(options); };
}

Tolerance convolution_tolerance(int tile) {
  return tile == 1 ? tolerance::kExactConvolution : tile == 2 ? tolerance::kWinograd2Convolution : tolerance::kWinograd6Convolution;
}

BackendCase cpu_case(const std::string& isa, int tile) {
  std::string label = "cpu_" + isa + (tile == 0 ? "" : "_F" + std::to_string(tile));
  std::replace_if(
      label.begin(), label.end(), [](unsigned char letter) { return !std::isalnum(letter); }, '_');
  BackendCase made{label, {}, convolution_tolerance(tile)};
  if (tile != 0) made.own = Part::kConvolutions;
  for (int threads : {1, 2, 3})
    made.variants.push_back(variant({.kind = BackendKind::kCpu, .threads = threads, .cpu_isa = isa, .tile = tile}));
  return made;
}

}  // namespace

std::vector<BackendCase> backend_cases() {
  std::vector<BackendCase> cases{{"reference_float", {variant({.kind = BackendKind::kReferenceFloat})}, tolerance::kDirectConvolution}};
  for (const std::string& isa : cpu_isa_names()) {
    for (int tile : {0, 1, 2, 4, 6}) cases.push_back(cpu_case(isa, tile));
  }
  return cases;
}

}  // namespace impasto::testing_support
