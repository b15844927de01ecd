#include "weights_converter/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "impasto/error.h"

namespace impasto {

InputFile::InputFile(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw IoError("cannot read " + path + ": " + std::strerror(errno));
  take_size();
}

InputFile::InputFile(int descriptor, const std::string& path) : path_(path), descriptor_(descriptor) { take_size(); }

void InputFile::take_size() {
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    const std::string reason = known ? "it is not a regular file" : std::strerror(errno);
    ::close(descriptor_);
    throw IoError("cannot read " + path_ + ": " + reason);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::check_range(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) {
    throw WeightError(path_ + " is damaged or cut short: it has " + std::to_string(size_) + " bytes and asks for " + std::to_string(size) +
                      " at " + std::to_string(offset));
  }
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  check_range(offset, bytes.size());
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw IoError("cannot read " + path_ + ": " + (got < 0 ? std::strerror(errno) : "it shrank while being read"));
    done += static_cast<std::size_t>(got);
  }
}

std::vector<std::byte> InputFile::read(std::uint64_t offset, std::uint64_t size) const {
  check_range(offset, size);
  std::vector<std::byte> bytes(size);
  read(offset, std::span<std::byte>(bytes));
  return bytes;
}

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

std::string printable(const std::string& text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  constexpr std::size_t kLongest = 100;
  std::string result;
  for (const char character : text) {
    if (result.size() >= kLongest) return result + "...";
    const auto code = static_cast<unsigned char>(character);
    if (code >= 0x20 && code < 0x7f) {
      result += character;
    } else {
      result += {'\\', 'x', kDigits[code >> 4], kDigits[code & 15]};
    }
  }
  return result;
}

}  // namespace impasto
