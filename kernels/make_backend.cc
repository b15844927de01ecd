#include <string>

#include "impasto/error.h"
#include "kernels/backend.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cuda_module.h"
#include "kernels/reference/reference_backend.h"

namespace impasto {
namespace {

// Of what does not compute in CUDA's.
void require_own_precision(const BackendOptions& options) {
  const bool computes_in_float = options.kind != BackendKind::kReferenceDouble;
  if (options.precision == Precision::kAuto || (options.precision == Precision::kFp32 && computes_in_float)) return;
  throw OptionError(std::string("precision is ") + to_string(options.precision) + "; accepted without CUDA: auto" +
                    (computes_in_float ? ", fp32" : " (the reference computes in double)"));
}

}  // namespace

std::span<const std::string> cpu_isa_names() { return supported_cpu_isas(); }

std::vector<std::string> describe_cuda_devices_of(const std::string& cuda_module) {
  return load_cuda_module(cuda_module).describe_devices();
}

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  if (options.threads < 0) {
    throw OptionError("threads is " + std::to_string(options.threads) + ", must be at least 1, or 0 for as many as the machine has");
  }
  if (options.tile < 0 || options.tile > 6 || options.tile == 3 || options.tile == 5) {
    throw OptionError("tile is " + std::to_string(options.tile) + ", must be 1, 2, 4, 6, or 0 for the quickest");
  }
  if (options.kind != BackendKind::kCuda) {
    require_own_precision(options);
    if (options.autotune) throw OptionError("autotune is true, which only the cuda backend takes; must be false for others");
  }
  if (options.kind == BackendKind::kCpu) return make_cpu_backend(options);
  if (!options.cpu_isa.empty()) {
    throw OptionError("cpu_isa is \"" + options.cpu_isa + "\", which only the cpu backend takes; must be empty for others");
  }
  if (options.tile != 0) {
    throw OptionError("tile is " + std::to_string(options.tile) + ", which only the cpu backend takes; must be 0 for others");
  }
  if (options.kind == BackendKind::kCuda) return load_cuda_module(options.cuda_module).make_backend(options);
  if (options.kind == BackendKind::kReferenceDouble) return make_reference_backend<double>();
  return make_reference_backend<float>();
}

}  // namespace impasto
