#include "engine/wolfe_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace impasto {
namespace {

struct Function {
  const char* name;
  std::function<double(double)> value;
  std::function<double(double)> slope;
};

// The strong Wolfe conditions hold where the search says so, whatever the first step.
TEST(WolfeSearch, FindsAPointThatSatisfiesBothConditions) {
  const Function functions[] = {
      {"parabola", [](double t) { return (t - 1) * (t - 1); }, [](double t) { return 2 * (t - 1); }},
      {"quartic", [](double t) { return std::pow(t - 3, 4) + 0.5 * t; }, [](double t) { return 4 * std::pow(t - 3, 3) + 0.5; }},
      {"wave", [](double t) { return -std::sin(t) + 0.01 * t * t; }, [](double t) { return -std::cos(t) + 0.02 * t; }},
      // Moré & Thuente 1994, function 1, beta = 2.
      {"valley", [](double t) { return -t / (t * t + 2); }, [](double t) { return (t * t - 2) / ((t * t + 2) * (t * t + 2)); }},
  };
  for (const Function& f : functions) {
    for (const double first : {1e-3, 0.1, 1.0, 10.0, 100.0}) {
      const double f0 = f.value(0);
      const double slope0 = f.slope(0);
      WolfeSearch search(f0, slope0, first);
      WolfeSearch::Verdict verdict = WolfeSearch::Verdict::kContinue;
      int evaluations = 0;
      double t = 0;
      while (verdict == WolfeSearch::Verdict::kContinue) {
        t = search.step();
        ASSERT_GT(t, 0);
        verdict = search.told(f.value(t), f.slope(t));
        ASSERT_LE(++evaluations, WolfeSearch::kMostEvaluations);
      }
      EXPECT_EQ(verdict, WolfeSearch::Verdict::kAccepted) << f.name << " from " << first;
      EXPECT_LE(f.value(t), f0 + WolfeSearch::kDecrease * t * slope0) << f.name << " from " << first;
      EXPECT_LE(std::abs(f.slope(t)), WolfeSearch::kCurvature * std::abs(slope0)) << f.name << " from " << first;
    }
  }
}

TEST(WolfeSearch, GivesUpOnAFunctionThatOnlyRises) {
  WolfeSearch search(0.0, -1.0, 1.0);
  WolfeSearch::Verdict verdict = WolfeSearch::Verdict::kContinue;
  int evaluations = 0;
  while (verdict == WolfeSearch::Verdict::kContinue) {
    verdict = search.told(1.0, 1.0);
    ++evaluations;
  }
  EXPECT_EQ(verdict, WolfeSearch::Verdict::kFailed);
  EXPECT_EQ(evaluations, WolfeSearch::kMostEvaluations);
}

}  // namespace
}  // namespace impasto
