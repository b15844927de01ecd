// A picture as the bytes of a file.
#pragma once

#include <string>

#include "engine/image_io/output_format.h"
#include "impasto/image_io.h"

namespace impasto {

// picture holds no NaN and agrees with its sizes; options have passed output_format. The same input gives the same bytes. Throws IoError
// naming path where the format cannot hold the picture (sides above 65535 for JPEG, 16383 for WebP, too much metadata), std::bad_alloc.
std::string encode(const Picture& picture, OutputFormat format, const WriteOptions& options, const std::string& path);

}  // namespace impasto
