// The CPU backend: Winograd convolutions on channel-blocked float32, for several instruction sets, with threads of its own.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "kernels/backend.h"

namespace impasto {

// options.kind is ignored. Throws OptionError for a cpu_isa that this machine or build does not have.
std::unique_ptr<Backend> make_cpu_backend(const BackendOptions& options);

// Instruction sets that this build has and this machine can run, best first: of "avx512", "avx2", "portable".
std::span<const std::string> supported_cpu_isas();

}  // namespace impasto
