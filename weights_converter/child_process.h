// Work in a child process, for a library that bad input can crash.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "weights_converter/input_file.h"

namespace impasto {

// Runs write(descriptor) in a child process, where descriptor is an empty file in memory, and returns what was written. Messages about that
// file name path, the input it was made from. Throws what write throws, as WeightError or Error; or WeightError, where it crashed or used
// more than cpu_seconds of processor time, saying that of path. Only for programs with one thread: the child is a fork without exec.
std::unique_ptr<InputFile> written_by_child(const std::string& path, unsigned cpu_seconds,
                                            const std::function<void(int descriptor)>& write);

}  // namespace impasto
