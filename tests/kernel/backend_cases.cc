#include "tests/kernel/backend_cases.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <ostream>

#include "tests/support/tolerance.h"

namespace impasto::testing_support {
namespace {

BackendOptions options(BackendKind kind, int threads, std::string cpu_isa, int tile) {
  BackendOptions made;
  made.kind = kind;
  made.threads = threads;
  made.cpu_isa = std::move(cpu_isa);
  made.tile = tile;
  return made;
}

BackendCase cpu_case(const std::string& isa, int tile) {
  std::string label = "cpu_" + isa + (tile == 0 ? "" : "_F" + std::to_string(tile));
  std::replace_if(
      label.begin(), label.end(), [](unsigned char letter) { return !std::isalnum(letter); }, '_');
  BackendCase made{label, {}, tile == 2 ? tolerance::kWinograd2Convolution : tolerance::kWinograd6Convolution};
  for (int threads : {1, 2, 3}) made.variants.push_back(options(BackendKind::kCpu, threads, isa, tile));
  return made;
}

}  // namespace

std::string name(const BackendCase& backend) { return backend.name; }

std::ostream& operator<<(std::ostream& out, const BackendCase& backend) { return out << backend.name; }

std::vector<BackendCase> backend_cases() {
  std::vector<BackendCase> cases{{"reference_float", {options(BackendKind::kReferenceFloat, 0, "", 0)}, tolerance::kDirectConvolution}};
  for (const std::string& isa : cpu_isa_names()) {
    for (int tile : {0, 2, 4, 6}) cases.push_back(cpu_case(isa, tile));
  }
  return cases;
}

const std::vector<std::unique_ptr<Backend>>& instances(const BackendCase& backend) {
  static std::map<std::string, std::vector<std::unique_ptr<Backend>>> made;
  std::vector<std::unique_ptr<Backend>>& of_case = made[backend.name];
  if (of_case.empty()) {
    for (const BackendOptions& variant : backend.variants) of_case.push_back(make_backend(variant));
  }
  return of_case;
}

}  // namespace impasto::testing_support
