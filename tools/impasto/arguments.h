// The command line: what is accepted, what --help says.
#pragma once

#include <string>

#include "tools/impasto/settings.h"

namespace impasto::command {

struct Request {
  enum class Kind { kRun, kHelp, kVersion, kDevices };
  Kind kind = Kind::kRun;
  std::string help;   // for kHelp
  Settings settings;  // for kRun; StyleOptions::validate() has passed
};

// Throws Failure (usage) with one line naming the option and its value.
Request parse_arguments(int argc, const char* const* argv);

// Name and version of the command line library, for --version.
std::string arguments_library();

}  // namespace impasto::command
