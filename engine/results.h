// Numbers that operations leave for the host.
#pragma once

namespace impasto {

// A view of results in backend memory, and of their copies on the host: those of everyone who wants some lie in one piece, which one
// transfer fetches where the host waits anyway (StyleObjective::evaluate). Borrows both.
struct Results {
  double* at = nullptr;
  // As they were when the host last waited.
  const double* host = nullptr;

  // Those from `first` on; while memory is measured there are none.
  Results from(int first) const { return at == nullptr ? Results{} : Results{at + first, host + first}; }
};

}  // namespace impasto
