// The backends under proof. A further one is one more entry in backend_cases(), or a backend_cases() of its own in another test program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "tests/support/compare.h"
#include "tests/support/workbench.h"

namespace impasto::testing_support {

struct BackendCase {
  std::string name;
  // Each makes the same backend with everything that must not change a bit varied: thread counts, or the order of threads.
  std::vector<std::function<std::unique_ptr<Backend>()>> variants;
  // What its convolutions are held to.
  Tolerance convolution;
  MemoryAccess memory = host_memory();
};

std::string name(const BackendCase& backend);
std::ostream& operator<<(std::ostream& out, const BackendCase& backend);

// Every backend of this build that runs on this machine.
std::vector<BackendCase> backend_cases();

// The backends of a case, one for each variant; made once and kept.
const std::vector<std::unique_ptr<Backend>>& instances(const BackendCase& backend);

}  // namespace impasto::testing_support
