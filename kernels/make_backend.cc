#include <string>

#include "impasto/error.h"
#include "kernels/backend.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"

namespace impasto {

std::span<const std::string> cpu_isa_names() { return supported_cpu_isas(); }

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  if (options.threads < 0) {
    throw OptionError("threads is " + std::to_string(options.threads) + ", must be at least 1, or 0 for as many as the machine has");
  }
  if (options.kind == BackendKind::kCpu) return make_cpu_backend(options);
  if (!options.cpu_isa.empty()) {
    throw OptionError("cpu_isa is \"" + options.cpu_isa + "\", which only the cpu backend takes; must be empty for a reference backend");
  }
  if (options.kind == BackendKind::kReferenceDouble) return make_reference_backend<double>();
  return make_reference_backend<float>();
}

}  // namespace impasto
