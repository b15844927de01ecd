#pragma once

#include <string>

namespace impasto::command {

// What --version prints: version, compiler, devices, instruction sets, libraries. One fact per line.
std::string version_text();

}  // namespace impasto::command
