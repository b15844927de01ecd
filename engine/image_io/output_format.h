// Which format a path's extension asks for, and whether the options fit it.
#pragma once

#include <string>

#include "impasto/image_io.h"

namespace impasto {

enum class OutputFormat { kPng, kJpeg, kTiff, kWebp, kAvif };

// Throws OptionError, naming path, for an extension that cannot be written here, a bit depth the format lacks, a quality outside 1..100, or
// a metadata key that is not a letter followed by at most 78 letters, digits, '.', '_', '-', ':' or single spaces.
OutputFormat output_format(const std::string& path, const WriteOptions& options);

}  // namespace impasto
