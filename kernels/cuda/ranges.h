// Named ranges for NVIDIA's profilers, by NVTX: a thin layer, without decisions of ours, that the emulation replaces by a log.
#pragma once

namespace impasto::cuda {

// As Backend::enter_range and leave_range. Without effect, and nearly without cost, where no profiler listens; in a build without NVTX's
// header, always.
void enter_range(const char* name);
void leave_range();

}  // namespace impasto::cuda
