// Files that are written whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace impasto {

// Throws IoError naming path unless a file could be created there: path is a directory, a device or a file that may not be written, or its
// directory does not exist or cannot take a file. Leaves nothing behind.
void check_replaceable(const std::string& path);

// Makes bytes the content of path: written to a temporary file in the same directory, flushed to disk, renamed over path. Links are
// followed, the permissions of a file that is replaced are kept, those of a new one follow umask. On failure path is as it was, the
// temporary is removed, and IoError names path.
void replace_file(const std::string& path, std::string_view bytes);

}  // namespace impasto
