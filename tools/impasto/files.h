// Files that the command writes itself, and which path is which file.
#pragma once

#include <string>

namespace impasto::command {

// Whether both paths lead to the same existing file, or are the same name of a file that does not exist.
bool same_file(const std::string& a, const std::string& b);

// Throws Failure (run failed) unless a text file could be written at path. Leaves nothing behind.
void check_text_writable(const std::string& path);

// Writes beside path, flushes to disk and renames: path holds the old file or the whole new one. Throws Failure (run failed).
void write_text(const std::string& path, const std::string& text);

// out.png, 50 -> out-0050.png
std::string snapshot_path(const std::string& output, int evaluation);

}  // namespace impasto::command
