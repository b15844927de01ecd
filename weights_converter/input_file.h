// A file opened for reading at given offsets, every range checked against its size; and small things for messages about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace impasto {

class InputFile {
 public:
  // Throws IoError where the path is not a regular file that can be read.
  explicit InputFile(const std::string& path);
  // Takes over an open descriptor; path is for messages.
  InputFile(int descriptor, const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  // Bytes [offset, offset + bytes.size()). Throws WeightError where the file ends before that (it was cut short), IoError where reading
  // fails.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;
  // The same into fresh memory; the range is checked before anything is allocated.
  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t size) const;

 private:
  void take_size();
  void check_range(std::uint64_t offset, std::uint64_t size) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// Little-endian unsigned integer of bytes.size() <= 8 bytes.
std::uint64_t little_endian(std::span<const std::byte> bytes);

// Text from a file made fit for a one-line message: control and non-ASCII bytes as \xNN, cut at 100 characters.
std::string printable(const std::string& text);

}  // namespace impasto
