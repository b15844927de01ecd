// Strict reading of numbers and lists from the command line: the whole text must be one number, finite and in range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace impasto::command {

// All throw Failure (usage) naming the option, its value and what is accepted.
std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most);
std::uint64_t parse_seed(const std::string& option, const std::string& text);
// >= 0, or > 0 where `positive`.
double parse_number(const std::string& option, const std::string& text, bool positive = false);
// Comma-separated, at least one, none empty.
std::vector<double> parse_numbers(const std::string& option, const std::string& text);
std::vector<std::string> parse_names(const std::string& option, const std::string& text);

// Shortest text that reads back as the same number; "nan", "inf", "-inf".
std::string number_text(double value);

}  // namespace impasto::command
