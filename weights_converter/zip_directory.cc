#include "weights_converter/zip_directory.h"

#include <algorithm>
#include <set>
#include <span>

#include "impasto/error.h"

// PKWARE's APPNOTE.TXT 6.3: 4.3.7 local header, 4.3.12 directory, 4.3.14 and 4.3.15 zip64, 4.3.16 end of directory, 4.5.3 zip64 extra
// field.
namespace impasto {
namespace {

constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kLongestComment = 65535;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint64_t kHeaderSize = 46;
constexpr std::uint64_t kLocalSize = 30;
constexpr std::uint64_t kLargestDirectory = std::uint64_t{1} << 22;  // VGG19's is 5 KB
constexpr std::uint32_t kIn64 = 0xffffffff;

std::uint64_t field(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t size) {
  return little_endian(bytes.subspan(offset, size));
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

Directory find_directory(const InputFile& file) {
  const auto damaged = [&file] { return WeightError(file.path() + " is damaged or cut short: its zip archive has no end"); };
  const std::uint64_t tail_size = std::min(file.size(), kEndSize + kLongestComment);
  const std::uint64_t tail_offset = file.size() - tail_size;
  const std::vector<std::byte> tail = file.read(tail_offset, tail_size);
  if (tail_size < kEndSize) throw damaged();
  std::uint64_t end = tail_size - kEndSize;
  while (field(tail, end, 4) != 0x06054b50 || end + kEndSize + field(tail, end + 20, 2) != tail_size) {
    if (end-- == 0) throw damaged();
  }
  Directory directory{field(tail, end + 16, 4), field(tail, end + 12, 4), field(tail, end + 10, 2)};
  const bool several_parts = field(tail, end + 4, 2) != 0 && field(tail, end + 4, 2) != 0xffff;
  if (several_parts) throw WeightError(file.path() + " is one part of a zip archive in several; all of it is needed");

  const std::uint64_t end_offset = tail_offset + end;
  if (end_offset < kLocatorSize) return directory;
  const std::vector<std::byte> locator = file.read(end_offset - kLocatorSize, kLocatorSize);
  if (field(locator, 0, 4) != 0x07064b50) return directory;
  const std::vector<std::byte> end64 = file.read(field(locator, 8, 8), kEnd64Size);
  if (field(end64, 0, 4) != 0x06064b50) throw damaged();
  return {field(end64, 48, 8), field(end64, 40, 8), field(end64, 32, 8)};
}

// Replaces a 32-bit field that says "see the zip64 extra field" by the next value there.
void widen(std::uint64_t& value, std::span<const std::byte>& wide, const InputFile& file) {
  if (value != kIn64) return;
  if (wide.size() < 8) throw WeightError(file.path() + " is damaged: its zip directory lacks a zip64 field");
  value = field(wide, 0, 8);
  wide = wide.subspan(8);
}

std::span<const std::byte> zip64_extra(std::span<const std::byte> extra) {
  while (extra.size() >= 4) {
    const std::uint64_t size = std::min<std::uint64_t>(field(extra, 2, 2), extra.size() - 4);
    if (field(extra, 0, 2) == 1) return extra.subspan(4, size);
    extra = extra.subspan(4 + size);
  }
  return {};
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const InputFile& file) {
  const Directory place = find_directory(file);
  if (place.size > kLargestDirectory || place.entries > place.size / kHeaderSize) {
    throw WeightError(file.path() + " is damaged: its zip directory claims " + std::to_string(place.entries) + " entries in " +
                      std::to_string(place.size) + " bytes; at most " + std::to_string(kLargestDirectory) + " bytes are accepted");
  }
  const std::vector<std::byte> bytes = file.read(place.offset, place.size);
  std::span<const std::byte> rest(bytes);
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < place.entries; ++i) {
    if (rest.size() < kHeaderSize || field(rest, 0, 4) != 0x02014b50) throw WeightError(file.path() + " is damaged: bad zip directory");
    const std::uint64_t flags = field(rest, 8, 2);
    const std::uint64_t method = field(rest, 10, 2);
    std::uint64_t packed = field(rest, 20, 4);
    std::uint64_t size = field(rest, 24, 4);
    const std::uint64_t name_size = field(rest, 28, 2);
    const std::uint64_t extra_size = field(rest, 30, 2);
    const std::uint64_t header_size = kHeaderSize + name_size + extra_size + field(rest, 32, 2);
    std::uint64_t local = field(rest, 42, 4);
    if (rest.size() < header_size) throw WeightError(file.path() + " is damaged: bad zip directory");
    const auto name_bytes = rest.subspan(kHeaderSize, name_size);
    const std::string name(reinterpret_cast<const char*>(name_bytes.data()), name_size);
    const auto refuse = [&](const char* what) { return WeightError(file.path() + ": zip entry " + printable(name) + " " + what); };
    std::span<const std::byte> wide = zip64_extra(rest.subspan(kHeaderSize + name_size, extra_size));
    widen(size, wide, file);
    widen(packed, wide, file);
    widen(local, wide, file);
    rest = rest.subspan(header_size);

    if (!names.insert(name).second) throw refuse("is there twice");
    if (method != 0 || packed != size) throw refuse("is compressed; PyTorch stores its entries");
    if (flags & 1) throw refuse("is encrypted");
    const std::vector<std::byte> header = file.read(local, kLocalSize + name_size);
    if (field(header, 0, 4) != 0x04034b50 || field(header, 26, 2) != name_size ||
        !std::equal(name_bytes.begin(), name_bytes.end(), header.begin() + kLocalSize)) {
      throw refuse("is not where the directory says");
    }
    const std::uint64_t offset = local + kLocalSize + name_size + field(header, 28, 2);
    if (offset > place.offset || size > place.offset - offset) throw refuse("runs into the directory: the file is damaged");
    entries.push_back({name, offset, size});
  }
  return entries;
}

}  // namespace impasto
