// One run, from settings to files.
#pragma once

#include "tools/impasto/settings.h"

namespace impasto::command {

// The exit code. Throws Failure and the library's errors; then nothing was created or overwritten, except a picture that was finished
// before its report could not be written.
int run(const Settings& settings);

}  // namespace impasto::command
