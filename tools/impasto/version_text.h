#pragma once

#include <string>

namespace impasto::command {

// What --version prints: version, compiler, devices, instruction sets, libraries. One fact per line.
std::string version_text();

// What `impasto devices` prints: one line for the CPU and each CUDA device, or the reason why there is none.
std::string devices_text();

}  // namespace impasto::command
