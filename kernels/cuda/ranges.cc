#include "kernels/cuda/ranges.h"

#if defined(IMPASTO_NVTX)
#include <nvtx3/nvToolsExt.h>

namespace impasto::cuda {

// What both return, how deep the range lies, is nobody's concern.
void enter_range(const char* name) { nvtxRangePushA(name); }
void leave_range() { nvtxRangePop(); }

}  // namespace impasto::cuda
#else

namespace impasto::cuda {

void enter_range(const char*) {}
void leave_range() {}

}  // namespace impasto::cuda
#endif
