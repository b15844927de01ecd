// From a published checkpoint to the content of our weight file: reads, identifies, checks.
#pragma once

#include <optional>
#include <string>

#include "weights_converter/weight_file.h"

namespace impasto {

struct ConvertOptions {
  std::optional<Network> network{};  // none: as the checkpoint's checksum or its names tell
  std::string expect_sha256{};       // 64 hexadecimal digits, or empty
  bool float16 = false;
};

struct Conversion {
  WeightFileContent content;
  bool verified = false;  // a checksum vouches for the file: its publisher's or options.expect_sha256
};

// Throws IoError where the file cannot be read, WeightError where it is not an intact VGG19 (checksum, format, names, shapes, values),
// OptionError where options.network is needed and not given or contradicts the checksum.
Conversion convert_checkpoint(const std::string& path, const ConvertOptions& options);

}  // namespace impasto
