#include "tests/kernel/proof.h"

#include <map>
#include <ostream>

#include "tests/support/tolerance.h"

namespace impasto::testing_support {

std::vector<BackendCase> backend_cases_of(Part part) {
  std::vector<BackendCase> cases = backend_cases();
  std::erase_if(cases, [part](const BackendCase& backend) { return backend.own < part; });
  return cases;
}

std::string name(const BackendCase& backend) { return backend.name; }

std::ostream& operator<<(std::ostream& out, const BackendCase& backend) { return out << backend.name; }

const std::vector<std::unique_ptr<Backend>>& instances(const BackendCase& backend) {
  static std::map<std::string, std::vector<std::unique_ptr<Backend>>> made;
  std::vector<std::unique_ptr<Backend>>& of_case = made[backend.name];
  if (of_case.empty()) {
    for (const auto& make : backend.variants) of_case.push_back(make());
  }
  return of_case;
}

BackendCase cuda_case(const std::string& name, Precision precision) {
  BackendCase made;
  made.name = name;
  made.convolution = tolerance::kDirectConvolution;
  made.precision = precision;
  if (precision == Precision::kFp32) return made;
  made.own = Part::kFeatures;
  const double u = precision == Precision::kTf32   ? tolerance::kTf32Roundoff
                   : precision == Precision::kFp16 ? tolerance::kFp16Roundoff
                                                   : tolerance::kBf16Roundoff;
  if (precision == Precision::kTf32) {
    made.convolution = made.gram_gradient = made.gram = tolerance::cut_operands(u);
  } else {
    made.convolution = made.gram_gradient = tolerance::rounded_operands(u);
    made.features = tolerance::rounded_result(u);
  }
  made.kink_margin = tolerance::kink_margin(u);
  made.cosine_across_kinks = tolerance::cosine_across_kinks(u);
  made.norm_across_kinks = tolerance::norm_across_kinks(u);
  return made;
}

Outputs expected_outputs(const BackendCase& backend, const Operation& operation) {
  static const std::unique_ptr<Backend> reference = [] {
    BackendOptions options;
    options.kind = BackendKind::kReferenceDouble;
    return make_backend(options);
  }();
  Workbench bench(*reference, Workbench::Poison::kNan, host_memory(), backend.precision);
  Outputs outputs = operation(bench);
  EXPECT_EQ(bench.damage(), "") << "double reference";
  return outputs;
}

Outputs proven_outputs(const BackendCase& backend, const Operation& operation) {
  const auto run = [&](Backend& instance, Workbench::Poison poison) {
    Workbench bench(instance, poison, backend.memory);
    Outputs outputs = operation(bench);
    EXPECT_EQ(bench.damage(), "") << instance.description();
    return outputs;
  };
  Backend& first_instance = *instances(backend).front();
  const Outputs first = run(first_instance, Workbench::Poison::kNan);
  for (const std::unique_ptr<Backend>& instance : instances(backend)) {
    const Outputs again = run(*instance, Workbench::Poison::kNumbers);
    EXPECT_EQ(again.size(), first.size());
    for (std::size_t i = 0; i < again.size() && i < first.size(); ++i) {
      EXPECT_TRUE(same_bits(again[i], first[i]))
          << "output " << i << " of " << instance->description() << " where memory held numbers before, compared with "
          << first_instance.description() << " where it held NaN";
    }
  }
  return first;
}

void expect_as_reference(const BackendCase& backend, const Operation& operation, const std::vector<Tolerance>& tolerances) {
  const Outputs expected = expected_outputs(backend, operation);
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
