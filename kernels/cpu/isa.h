// The instruction sets of this build that this machine can run.
#pragma once

#include <span>

#include "kernels/cpu/kernel_table.h"

namespace impasto::cpu {

// Best first; the last is always "portable".
std::span<const KernelTable* const> supported_kernel_tables();

}  // namespace impasto::cpu
