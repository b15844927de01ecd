#include "tools/impasto/numbers.h"

#include <charconv>
#include <cmath>
#include <system_error>

#include "tools/impasto/failure.h"

namespace impasto::command {

namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& accepted) {
  throw Failure(kUsage, option + ": '" + text + "' is not accepted; give " + accepted);
}

template <typename T>
bool read_all(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

}  // namespace

std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  if (!read_all(text, value) || value < least || value > most) {
    refuse(option, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::uint64_t parse_seed(const std::string& option, const std::string& text) {
  std::uint64_t value = 0;
  if (!read_all(text, value)) refuse(option, text, "a whole number from 0 to 18446744073709551615");
  return value;
}

double parse_number(const std::string& option, const std::string& text, bool positive) {
  double value = 0;
  if (!read_all(text, value) || !std::isfinite(value) || value < 0 || std::signbit(value) || (positive && value == 0)) {
    refuse(option, text, positive ? "a finite number above 0" : "a finite number that is not negative");
  }
  return value;
}

std::vector<std::string> parse_names(const std::string& option, const std::string& text) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(',', begin);
    names.push_back(text.substr(begin, end - begin));
    if (names.back().empty()) refuse(option, text, "values separated by commas, none empty");
    if (end == std::string::npos) return names;
    begin = end + 1;
  }
}

std::vector<double> parse_numbers(const std::string& option, const std::string& text) {
  std::vector<double> values;
  for (const std::string& part : parse_names(option, text)) values.push_back(parse_number(option, part));
  return values;
}

std::string number_text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : std::string("?");
}

}  // namespace impasto::command
