#include "kernels/cpu/isa.h"

#include <string>
#include <vector>

#include "kernels/cpu/cpu_backend.h"

namespace impasto {
namespace cpu {

std::span<const KernelTable* const> supported_kernel_tables() {
  static const std::vector<const KernelTable*> kTables = [] {
    std::vector<const KernelTable*> tables;
#if defined(IMPASTO_CPU_X86)
    // Exactly what CMakeLists.txt compiles for. The builtins ask the operating system too, whether it saves the registers.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      tables.push_back(&avx512::kernel_table());
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables.push_back(&avx2::kernel_table());
#endif
    tables.push_back(&portable::kernel_table());
    return tables;
  }();
  return kTables;
}

}  // namespace cpu

std::span<const std::string> supported_cpu_isas() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const cpu::KernelTable* table : cpu::supported_kernel_tables()) names.emplace_back(table->name);
    return names;
  }();
  return kNames;
}

}  // namespace impasto
