// The directory of a zip archive whose entries are stored, not compressed, as PyTorch writes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weights_converter/input_file.h"

namespace impasto {

struct ZipEntry {
  std::string name;
  std::uint64_t offset = 0;  // of the content, in the file
  std::uint64_t size = 0;
};

// Zip and zip64. Throws WeightError where the archive is damaged, in several parts, holds a name twice, or an entry is compressed,
// encrypted or lies outside the file.
std::vector<ZipEntry> read_zip_directory(const InputFile& file);

}  // namespace impasto
