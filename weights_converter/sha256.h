// Checksums of files and bytes, as lower-case hexadecimal digits.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace impasto {

// 64 digits.
std::string sha256_bytes(std::span<const std::byte> bytes);

// 64 digits. Reads the file in pieces. Throws IoError where it cannot be read.
std::string sha256_file(const std::string& path);

// 32 digits. Only to recognise files whose publisher gives an MD5 and nothing better (Keras). Throws IoError.
std::string md5_file(const std::string& path);

}  // namespace impasto
