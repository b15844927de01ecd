// How an operation is proven: written once against a Workbench, it runs on the double reference and on the backend under proof.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/kernel/backend_cases.h"
#include "tests/support/compare.h"
#include "tests/support/names.h"
#include "tests/support/workbench.h"

namespace impasto::testing_support {

// Everything the operation produced, array by array.
using Outputs = std::vector<std::vector<double>>;
using Operation = std::function<Outputs(Workbench&)>;

// The operation's outputs on the double reference, its features rounded as the backend's are.
Outputs expected_outputs(const BackendCase& backend, const Operation& operation);

// The operation's outputs on the backend, after checking that every variant gives the same bits, twice, whatever its memory held
// before, and that nothing was written outside the memory asked for. Failures are reported as non-fatal.
Outputs proven_outputs(const BackendCase& backend, const Operation& operation);

// Both, compared array by array. The tolerances belong to the outputs in order; one alone belongs to all.
void expect_as_reference(const BackendCase& backend, const Operation& operation, const std::vector<Tolerance>& tolerances);

// Both, compared for equality.
void expect_equal_to_reference(const BackendCase& backend, const Operation& operation);

// A fixture for tests over all backends.
class KernelTest : public testing::TestWithParam<BackendCase> {};

// The suite proves `part` of a backend.
#define IMPASTO_FOR_EVERY_BACKEND(suite, part) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(backend_cases_of(Part::part)), ParameterName())

}  // namespace impasto::testing_support
