#include "impasto/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "impasto/error.h"

namespace impasto {
namespace {

TEST(StyleOptions, DefaultsAreGood) { EXPECT_NO_THROW(StyleOptions().validate()); }

TEST(StyleOptions, NamesTheFieldThatIsWrong) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    const char* field;
    std::function<void(StyleOptions&)> spoil;
  } cases[] = {
      {"content_layers", [](StyleOptions& o) { o.content_layers.clear(); }},
      {"relu9_9", [](StyleOptions& o) { o.style_layers = {"relu9_9"}; }},
      {"twice",
       [](StyleOptions& o) {
         o.style_layers = {"relu1_1", "relu1_1"};
       }},
      {"content_weight", [&](StyleOptions& o) { o.content_weight = nan; }},
      {"content_weight", [](StyleOptions& o) { o.content_weight = -1; }},
      {"style_weights", [&](StyleOptions& o) { o.style_weights = {nan}; }},
      {"style_weights",
       [](StyleOptions& o) {
         o.style_weights = {1, 2};
       }},
      {"tv_weight", [](StyleOptions& o) { o.tv_weight = std::numeric_limits<double>::infinity(); }},
      {"style_blend",
       [](StyleOptions& o) {
         o.style_blend = {0, 0};
       }},
      {"iterations", [](StyleOptions& o) { o.iterations = -1; }},
      {"history", [](StyleOptions& o) { o.history = 0; }},
      {"learning_rate", [](StyleOptions& o) { o.learning_rate = 0; }},
      {"gradient_tolerance", [](StyleOptions& o) { o.gradient_tolerance = -1; }},
  };
  for (const auto& c : cases) {
    StyleOptions options;
    c.spoil(options);
    try {
      options.validate();
      ADD_FAILURE() << c.field << " was accepted";
    } catch (const OptionError& error) {
      EXPECT_NE(std::string(error.what()).find(c.field), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace impasto
