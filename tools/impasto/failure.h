// How the command ends.
#pragma once

#include <stdexcept>
#include <string>

namespace impasto::command {

enum ExitCode {
  kOk = 0,
  kRunFailed = 1,
  kUsage = 2,
  kNoDevice = 3,
  kInputUnreadable = 4,
  kNoWeights = 5,
  kOutOfMemory = 6,
  // 128 + signal, as shells count: 130 after Ctrl-C, 143 after SIGTERM.
  kSignal = 128,
};

// Ends the command with this exit code and one line on stderr.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), exit_code(code) {}
  ExitCode exit_code;
};

}  // namespace impasto::command
