// The safetensors format: a 64-bit header size, a JSON header that names tensors with type, shape and byte range, then the bytes.
#pragma once

#include <memory>

#include "weights_converter/checkpoint.h"
#include "weights_converter/input_file.h"

namespace impasto {

// Throws WeightError where the header is not what the format asks for: a range outside the data, a hole or an overlap between ranges, a
// range that is not shape times type, a name twice, bytes after the last range.
std::unique_ptr<Checkpoint> read_safetensors(std::unique_ptr<InputFile> file);

}  // namespace impasto
