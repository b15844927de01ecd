// File names and other libraries' words in messages of one line.
#pragma once

#include <string>
#include <string_view>

namespace impasto {

// text with line ends and other control characters replaced by spaces and trailing ones removed.
inline std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace impasto
