// What every backend refuses, and what make_backend does.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "impasto/error.h"
#include "tests/kernel/proof.h"
#include "tests/support/random.h"

namespace impasto::testing_support {
namespace {

class Contract : public KernelTest {
 protected:
  Backend& backend() { return *instances(GetParam()).front(); }

  Workbench bench_{*instances(GetParam()).front(), Workbench::Poison::kNan, GetParam().memory};
  std::vector<float> weight_ = std::vector<float>(9 * 8 * 16);
  std::vector<float> bias_ = std::vector<float>(16);
  std::unique_ptr<Filters> filters_ = backend().load_filters({8, 16, false, weight_, bias_});
};

IMPASTO_FOR_EVERY_BACKEND(Contract, kFeatures);

TEST_P(Contract, MemoryThatCannotBeHadIsAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end a program that asks for more memory than there can be";
#endif
  try {
    backend().allocate(std::int64_t{1} << 60);
    ADD_FAILURE() << "has 2^60 bytes";
  } catch (const OutOfMemoryError& error) {
    EXPECT_EQ(error.needed_bytes, std::int64_t{1} << 60);
    EXPECT_NE(std::string(error.what()).find("1099511627776 MiB are needed"), std::string::npos) << error.what();
  }
}

TEST_P(Contract, FeaturesHaveTheRangeItSays) {
  EXPECT_EQ(backend().has_half_range(), GetParam().precision == Precision::kFp16);
  std::vector<double> values = {65280, 65536, -65536, 0x1p-24, 0x1p-26};
  const Features f = bench_.features({1, 1, 5}, values);
  if (backend().has_half_range()) values = {65280, HUGE_VAL, -HUGE_VAL, 0x1p-24, 0};
  EXPECT_EQ(bench_.read(f), values);
}

TEST_P(Contract, FiltersAreAsManyAsTheirChannelsMake) {
  EXPECT_NO_THROW(backend().load_filters({16, 8, false, weight_, std::span(bias_).first(8)}));
  EXPECT_THROW(backend().load_filters({0, 16, false, {}, bias_}), ShapeError);
  EXPECT_THROW(backend().load_filters({8, 0, false, {}, {}}), ShapeError);
  EXPECT_THROW(backend().load_filters({8, 16, true, weight_, bias_}), ShapeError);
  EXPECT_THROW(backend().load_filters({8, 15, false, weight_, std::span(bias_).first(15)}), ShapeError);
  EXPECT_THROW(backend().load_filters({8, 16, false, weight_, std::span(bias_).first(15)}), ShapeError);
}

TEST_P(Contract, PlansRefuseWhatTheyCannotServe) {
  EXPECT_THROW(backend().plan_conv3x3({0, 4, Epilogue::kNone, filters_.get()}), ShapeError);
  EXPECT_THROW(backend().plan_conv3x3({4, -1, Epilogue::kNone, filters_.get()}), ShapeError);
  for (Epilogue epilogue : {Epilogue::kReluMaxPool, Epilogue::kReluAveragePool}) {
    EXPECT_THROW(backend().plan_conv3x3({1, 4, epilogue, filters_.get()}), ShapeError);
    EXPECT_THROW(backend().plan_conv3x3({4, 1, epilogue, filters_.get()}), ShapeError);
  }
}

TEST_P(Contract, ConvolutionsRefuseOtherShapes) {
  const Shape in{8, 6, 4};
  for (Epilogue epilogue : {Epilogue::kNone, Epilogue::kRelu, Epilogue::kReluMaxPool, Epilogue::kReluAveragePool}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(epilogue));
    const std::unique_ptr<ConvPlan> plan = backend().plan_conv3x3({in.h, in.w, epilogue, filters_.get()});
    const Shape out = pools(epilogue) ? Shape{16, 3, 2} : Shape{16, 6, 4};
    const Shape convolved{16, 6, 4};
    void* scratch = bench_.scratch(plan->scratch_bytes());
    for (Shape wrong : {Shape{8, 6, 5}, Shape{8, 4, 6}, Shape{7, 6, 4}}) {
      EXPECT_THROW(plan->forward(bench_.features(wrong), bench_.features(out), bench_.mask(convolved), scratch), ShapeError);
      EXPECT_THROW(plan->gradient(bench_.features(out), bench_.mask(convolved), bench_.features(wrong), scratch), ShapeError);
    }
    const TotalVariationTerm variation{bench_.vector(in.size()), 1, bench_.results(1)};
    EXPECT_THROW(plan->gradient(bench_.features(out), bench_.mask(convolved), bench_.features(in), scratch, variation), ShapeError);
    for (Shape wrong : {Shape{8, 6, 4}, Shape{16, 7, 4}, Shape{16, 2, 3}}) {
      EXPECT_THROW(plan->forward(bench_.features(in), bench_.features(wrong), bench_.mask(convolved), scratch), ShapeError);
      EXPECT_THROW(plan->gradient(bench_.features(wrong), bench_.mask(convolved), bench_.features(in), scratch), ShapeError);
      const GramTerm term{bench_.features(wrong), bench_.vector(std::int64_t{wrong.c} * wrong.c), 1};
      if (!(wrong == in)) {
        EXPECT_THROW(plan->gradient(bench_.features(out), bench_.mask(convolved), bench_.features(in), scratch, term), ShapeError);
      }
      if (epilogue == Epilogue::kNone) continue;
      EXPECT_THROW(plan->forward(bench_.features(in), bench_.features(out), bench_.mask(wrong), scratch), ShapeError);
      EXPECT_THROW(plan->gradient(bench_.features(out), bench_.mask(wrong), bench_.features(in), scratch), ShapeError);
    }
  }
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, ThePicturesConvolutionRefusesLossTermsOfOthers) {
  const Shape picture{3, 6, 4};
  const auto filters = backend().load_filters({3, 16, true, std::span(weight_).first(9 * 3 * 16), bias_});
  for (Epilogue epilogue : {Epilogue::kNone, Epilogue::kRelu, Epilogue::kReluMaxPool, Epilogue::kReluAveragePool}) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, name(epilogue));
    const std::unique_ptr<ConvPlan> plan = backend().plan_conv3x3({picture.h, picture.w, epilogue, filters.get()});
    const Shape convolved{16, 6, 4};
    const Features grad_out = bench_.features(pools(epilogue) ? pooled(convolved) : convolved);
    const Features grad_in = bench_.picture(picture);
    void* scratch = bench_.scratch(plan->scratch_bytes());
    const GramTerm gram{bench_.picture(picture), bench_.vector(9), 1};
    EXPECT_THROW(plan->gradient(grad_out, bench_.mask(convolved), grad_in, scratch, gram), ShapeError);
    for (std::int64_t size : {picture.size() - 1, picture.size() + 1}) {
      const TotalVariationTerm variation{bench_.vector(size), 1, bench_.results(1)};
      EXPECT_THROW(plan->gradient(grad_out, bench_.mask(convolved), grad_in, scratch, variation), ShapeError);
    }
  }
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, ReluAndPoolingRefuseOtherShapes) {
  const Shape s{5, 6, 4};
  const Shape wrong{5, 4, 6};
  const Shape half{5, 3, 2};
  EXPECT_THROW(backend().relu(bench_.features(s), bench_.features(wrong), bench_.mask(s)), ShapeError);
  EXPECT_THROW(backend().relu(bench_.features(s), bench_.features(s), bench_.mask(wrong)), ShapeError);
  EXPECT_THROW(backend().relu_gradient(bench_.mask(wrong), bench_.features(s)), ShapeError);
  for (PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    EXPECT_THROW(backend().pool2x2(kind, bench_.features(s), bench_.features(s), bench_.mask(s)), ShapeError);
    EXPECT_THROW(backend().pool2x2(kind, bench_.features(s), bench_.features({5, 2, 3}), bench_.mask(s)), ShapeError);
    EXPECT_THROW(backend().pool2x2(kind, bench_.features({5, 1, 4}), bench_.features({5, 0, 2}), {}), ShapeError);
    EXPECT_THROW(backend().pool2x2_gradient(kind, bench_.features(s), bench_.mask(s), bench_.features(s)), ShapeError);
  }
  EXPECT_THROW(backend().pool2x2(PoolKind::kMax, bench_.features(s), bench_.features(half), bench_.mask(half)), ShapeError);
  EXPECT_THROW(backend().pool2x2_gradient(PoolKind::kMax, bench_.features(half), bench_.mask(half), bench_.features(s)), ShapeError);
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, LossesRefuseOtherShapes) {
  const Shape s{5, 6, 4};
  const Shape wrong{5, 4, 6};
  void* scratch = bench_.scratch(backend().gram_scratch_bytes(s));
  double* result = bench_.results(1);
  EXPECT_THROW(backend().gram(bench_.features(s), bench_.vector(24), scratch), ShapeError);
  EXPECT_THROW(backend().gram_gradient({bench_.features(s), bench_.vector(26), 1}, bench_.features(s), scratch), ShapeError);
  EXPECT_THROW(backend().gram_gradient({bench_.features(s), bench_.vector(25), 1}, bench_.features(wrong), scratch), ShapeError);
  EXPECT_THROW(backend().feature_distance(bench_.features(s), bench_.features(wrong), 1, bench_.features(s), result), ShapeError);
  EXPECT_THROW(backend().feature_distance(bench_.features(s), bench_.features(s), 1, bench_.features(wrong), result), ShapeError);
  EXPECT_THROW(backend().total_variation(bench_.vector(71), {3, 6, 4}, 1, bench_.vector(72), result), ShapeError);
  EXPECT_THROW(backend().total_variation(bench_.vector(72), {3, 6, 4}, 1, bench_.vector(73), result), ShapeError);
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, VectorsRefuseOtherSizes) {
  const Vector three = bench_.vector(3);
  const Vector four = bench_.vector(4);
  double* result = bench_.results(8);
  const auto dots = [&](std::vector<Vector> many, std::vector<Vector> few) { backend().dots(many, few, result); };
  const auto combine = [&](std::vector<double> coefficients, std::vector<Vector> terms) { backend().combine(coefficients, terms, four); };
  std::vector<double> host(4);
  EXPECT_THROW(backend().upload(host, three), ShapeError);
  EXPECT_THROW(backend().download(three, host), ShapeError);
  EXPECT_THROW(backend().upload(host, bench_.features({5, 1, 1})), ShapeError);
  EXPECT_THROW(backend().download(bench_.features({5, 1, 1}), host), ShapeError);
  EXPECT_THROW(backend().copy(three, four), ShapeError);
  EXPECT_THROW(dots({four}, {three}), ShapeError);
  EXPECT_THROW(dots({four, three}, {four}), ShapeError);
  EXPECT_THROW(dots({four}, std::vector<Vector>(Backend::kMaxFew + 1, four)), ShapeError);
  EXPECT_THROW(combine({1, 2}, {four}), ShapeError);
  EXPECT_THROW(combine({1, 2}, {four, three}), ShapeError);
  EXPECT_THROW(backend().take_step(three, result, 1, 1, four, result + 1), ShapeError);
  EXPECT_THROW(backend().take_step(four, result, 1, 1, three, result + 1), ShapeError);
  EXPECT_THROW(backend().smooth(bench_.vector(13), {3, 2, 2}, 1, bench_.vector(12), 1.0, bench_.vector(12), bench_.vector(12)), ShapeError);
  EXPECT_THROW(backend().smooth(bench_.vector(12), {3, 2, 2}, 1, bench_.vector(11), 1.0, bench_.vector(12), bench_.vector(12)), ShapeError);
  EXPECT_THROW(backend().smooth(bench_.vector(12), {3, 2, 2}, 1, bench_.vector(12), 1.0, bench_.vector(13), bench_.vector(12)), ShapeError);
  EXPECT_THROW(backend().smooth(bench_.vector(12), {3, 2, 2}, 1, bench_.vector(12), 1.0, bench_.vector(12), bench_.vector(11)), ShapeError);
  EXPECT_THROW(backend().smooth(bench_.vector(12), {3, 2, 2}, 0, bench_.vector(12), 1.0, bench_.vector(12), bench_.vector(12)), ShapeError);
  EXPECT_THROW(backend().adam(four, {}, 1, four, four, three), ShapeError);
  EXPECT_THROW(backend().adam(four, {}, 1, three, four, four), ShapeError);
  EXPECT_THROW(backend().adam(four, {}, 1, four, three, four), ShapeError);
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, RecordingCarriesOutAtOnceAndWhenCalled) {
  const Vector sum = bench_.vector(std::vector<double>{0, 1, 2, 3, 4});
  const Vector step = bench_.vector(std::vector<double>{1, 1, 1, -1, -1});
  double* const products = bench_.results(1);
  Recording recording;
  {
    // What arguments point to on the host may go.
    std::vector<double> coefficients = {1, 2};
    std::vector<Vector> terms = {sum, step};
    const auto operations = [&backend = backend(), coefficients, terms, sum, products] {
      backend.combine(coefficients, terms, sum);
      backend.dots(std::array{sum}, std::array{sum}, products);
    };
    recording = backend().record(operations);
  }
  EXPECT_EQ(bench_.read(sum), (std::vector<double>{2, 3, 4, 1, 2}));
  recording();
  recording();
  EXPECT_EQ(bench_.read(sum), (std::vector<double>{6, 7, 8, -3, -2}));
  EXPECT_EQ(bench_.read(products, 1), (std::vector<double>{36 + 49 + 64 + 9 + 4}));
  // What the memory holds by then.
  backend().upload(std::vector<double>{0, 0, 0, 0, 1}, step);
  const Recording another = std::move(recording);
  another();
  EXPECT_EQ(bench_.read(sum), (std::vector<double>{6, 7, 8, -3, 0}));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, RecordingPassesOnWhatOperationsThrow) {
  const Vector three = bench_.vector(std::vector<double>{1, 2, 3});
  const Vector four = bench_.vector(4);
  EXPECT_THROW(backend().record([&] {
    backend().combine(std::array{2.0}, std::array{three}, three);
    backend().copy(three, four);
  }),
               ShapeError);
  // Thrown as late as when a device is recording.
  int calls = 0;
  const auto throws_from_the_second_call_on = [&] {
    backend().combine(std::array{2.0}, std::array{three}, three);
    if (++calls > 1) throw ShapeError("the second call");
  };
  EXPECT_THROW(backend().record(throws_from_the_second_call_on)(), ShapeError);
  const std::vector<double> doubled = bench_.read(three);
  const Recording recording = backend().record([&] { backend().combine(std::array{0.5}, std::array{three}, three); });
  recording();
  EXPECT_EQ(bench_.read(three), (std::vector<double>{doubled[0] / 4, doubled[1] / 4, doubled[2] / 4}));
  EXPECT_EQ(bench_.damage(), "");
}

TEST_P(Contract, ErrorsSayWhatInOneLine) {
  try {
    backend().relu_gradient(bench_.mask({5, 4, 6}), bench_.features({5, 6, 4}));
    FAIL() << "accepted";
  } catch (const ShapeError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("relu_gradient"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_P(Contract, DescribesItselfInOneLine) {
  const std::string description = backend().description();
  EXPECT_FALSE(description.empty());
  EXPECT_EQ(description.find('\n'), std::string::npos);
}

TEST_P(Contract, MeasuredPlansArePlainText) {
  backend().plan_conv3x3({6, 4, Epilogue::kRelu, filters_.get()});
  for (const auto& [name, plan] : backend().measured_plans()) {
    EXPECT_FALSE(name.empty());
    for (const char c : name + plan) EXPECT_TRUE(c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') << name << ": " << plan;
  }
}

TEST(MakeBackend, RefusesWhatItDoesNotHave) {
  BackendOptions options;
  options.threads = -1;
  EXPECT_THROW(make_backend(options), OptionError);
  options.threads = 1;
  options.tile = 3;
  EXPECT_THROW(make_backend(options), OptionError);
  options.tile = 2;
  options.kind = BackendKind::kReferenceFloat;
  EXPECT_THROW(make_backend(options), OptionError);
  options = {};
  options.cpu_isa = "vax";
  try {
    make_backend(options);
    FAIL() << "accepted";
  } catch (const OptionError& error) {
    EXPECT_NE(std::string(error.what()).find("vax"), std::string::npos) << error.what();
    for (const std::string& isa : cpu_isa_names()) EXPECT_NE(std::string(error.what()).find(isa), std::string::npos) << error.what();
  }
  for (BackendKind kind : {BackendKind::kReferenceFloat, BackendKind::kReferenceDouble}) {
    options.kind = kind;
    EXPECT_THROW(make_backend(options), OptionError);
  }
  for (BackendKind kind : {BackendKind::kCpu, BackendKind::kReferenceFloat, BackendKind::kReferenceDouble}) {
    EXPECT_TRUE(make_backend({.kind = kind})->measured_plans().empty());
    try {
      make_backend({.kind = kind, .autotune = true});
      ADD_FAILURE() << "accepted";
    } catch (const OptionError& error) {
      EXPECT_NE(std::string(error.what()).find("autotune is true"), std::string::npos) << error.what();
    }
  }
}

TEST(MakeBackend, TakesThePrecisionsOfEachKind) {
  struct Case {
    BackendKind kind;
    std::vector<Precision> accepted;
  };
  for (const Case& one : {Case{BackendKind::kCpu, {Precision::kAuto, Precision::kFp32}},
                          Case{BackendKind::kReferenceFloat, {Precision::kAuto, Precision::kFp32}},
                          Case{BackendKind::kReferenceDouble, {Precision::kAuto}}}) {
    for (const Precision precision : {Precision::kAuto, Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
      const BackendOptions options{.kind = one.kind, .precision = precision};
      const std::string asked = to_string(precision);
      if (std::find(one.accepted.begin(), one.accepted.end(), precision) != one.accepted.end()) {
        EXPECT_NO_THROW(make_backend(options)) << asked;
        continue;
      }
      try {
        make_backend(options);
        ADD_FAILURE() << asked << " was accepted";
      } catch (const OptionError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("precision is " + asked), std::string::npos) << message;
        EXPECT_NE(message.find("accepted without CUDA: auto"), std::string::npos) << message;
      }
    }
  }
}

TEST(MakeBackend, HasAtLeastOneInstructionSetAndTakesTheBest) {
  ASSERT_FALSE(cpu_isa_names().empty());
  BackendOptions best;
  best.cpu_isa = cpu_isa_names().front();
  EXPECT_EQ(make_backend({})->description(), make_backend(best)->description());
}

}  // namespace
}  // namespace impasto::testing_support
