// The CUDA backend as a module, loaded when it is first asked for: one build then serves machines with and without CUDA, and says why where
// it is without. Or, for programs that embed the library, as an archive linked in (CMake's impasto::cuda). The library finds it there by a
// weak reference to the entry, which takes no archive member in; that the linker takes the member that defines the entry, and with it the
// backend, is asked for by the archive's own link interface (--undefined). So nothing runs before main and a program says no more than what
// it links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace impasto {

// What the module exports by the name kCudaModuleEntry: `const CudaModule* impasto_cuda_module()`. Module and library are parts of one
// build, which `build` proves: C++ objects pass between them.
struct CudaModule {
  const char* build;
  // As make_cuda_backend (kernels/cuda/cuda_backend.h).
  std::unique_ptr<Backend> (*make_backend)(const BackendOptions& options);
  // One line for each device, in order. Throws DeviceError with the reason why there is none.
  std::vector<std::string> (*describe_devices)();
};

inline constexpr const char* kCudaModuleEntry = "impasto_cuda_module";
// Library and module compare theirs.
inline constexpr const char* kCudaModuleBuild = IMPASTO_VERSION ", " __VERSION__ ", seam 4";

// path: of the module; empty: the backend linked in; where there is none libimpasto_cuda.so beside the running program, then in
// ../lib/impasto from there, then where the system looks for libraries. Once loaded it stays. Throws DeviceError with the one reason why it
// cannot be had.
const CudaModule& load_cuda_module(const std::string& path);

}  // namespace impasto
