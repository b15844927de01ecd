#include "tests/kernel/proof.h"

#include "tests/support/tolerance.h"

namespace impasto::testing_support {

Outputs expected_outputs(const Operation& operation) {
  static const std::unique_ptr<Backend> reference = [] {
    BackendOptions options;
    options.kind = BackendKind::kReferenceDouble;
    return make_backend(options);
  }();
  Workbench bench(*reference);
  Outputs outputs = operation(bench);
  EXPECT_EQ(bench.damage(), "") << "double reference";
  return outputs;
}

Outputs proven_outputs(const BackendCase& backend, const Operation& operation) {
  Outputs first;
  for (const std::unique_ptr<Backend>& instance : instances(backend)) {
    for (Workbench::Poison poison : {Workbench::Poison::kNan, Workbench::Poison::kNumbers}) {
      Workbench bench(*instance, poison, backend.memory);
      Outputs outputs = operation(bench);
      EXPECT_EQ(bench.damage(), "") << instance->description();
      if (first.empty()) {
        first = std::move(outputs);
        continue;
      }
      EXPECT_EQ(outputs.size(), first.size());
      for (std::size_t i = 0; i < outputs.size() && i < first.size(); ++i) {
        EXPECT_TRUE(same_bits(outputs[i], first[i]))
            << "output " << i << " of " << instance->description() << (poison == Workbench::Poison::kNan ? "" : ", memory dirty otherwise")
            << ", compared with the first run, of " << instances(backend).front()->description();
      }
    }
  }
  return first;
}

void expect_as_reference(const BackendCase& backend, const Operation& operation, const std::vector<Tolerance>& tolerances) {
  const Outputs expected = expected_outputs(operation);
  const Outputs actual = proven_outputs(backend, operation);
  ASSERT_EQ(actual.size(), expected.size());
  ASSERT_TRUE(tolerances.size() == 1 || tolerances.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(close(actual[i], expected[i], tolerances.size() == 1 ? tolerances[0] : tolerances[i])) << "output " << i;
  }
}

void expect_equal_to_reference(const BackendCase& backend, const Operation& operation) {
  expect_as_reference(backend, operation, {Tolerance{0, 0}});
}

}  // namespace impasto::testing_support
