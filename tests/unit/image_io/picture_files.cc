#include "tests/unit/image_io/picture_files.h"

#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "engine/image_io/vips_runtime.h"

namespace impasto {
namespace {

std::string be32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string le16(std::uint32_t value) { return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8 & 0xff)}; }

std::string le32(std::uint32_t value) { return le16(value & 0xffff) + le16(value >> 16); }

std::uint32_t crc_of(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

std::string chunk(const std::string& type, const std::string& data) {
  return be32(static_cast<std::uint32_t>(data.size())) + type + data + be32(crc_of(type + data));
}

// A zlib stream of stored blocks.
std::string stored(const std::string& data) {
  std::string out = "\x78\x01";
  std::size_t at = 0;
  do {
    const std::size_t length = std::min<std::size_t>(data.size() - at, 0xffff);
    out += static_cast<char>(at + length == data.size());
    out += le16(static_cast<std::uint32_t>(length)) + le16(static_cast<std::uint32_t>(length) ^ 0xffff) + data.substr(at, length);
    at += length;
  } while (at < data.size());
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char byte : data) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return out + be32(b << 16 | a);
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "impasto_test_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch directory " + pattern);
  root_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string ScratchDirectory::path(std::string_view name) const { return root_ + "/" + std::string(name); }

std::string ScratchDirectory::file(std::string_view name, std::string_view bytes) const {
  std::ofstream(path(name), std::ios::binary) << bytes;
  return path(name);
}

std::vector<std::string> ScratchDirectory::entries() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root_)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string png(const PngParts& parts) {
  constexpr std::array<int, 7> kSamples = {1, 0, 3, 1, 2, 0, 4};
  const std::size_t bits = static_cast<std::size_t>(kSamples[parts.colour_type]) * parts.bit_depth * parts.width;
  const std::size_t row_length = (bits + 7) / 8;
  std::string rows;
  for (std::size_t at = 0; at < parts.data.size(); at += row_length) rows += '\0' + parts.data.substr(at, row_length);
  std::string header = be32(parts.width) + be32(parts.height);
  header += {static_cast<char>(parts.bit_depth), static_cast<char>(parts.colour_type), 0, 0, 0};
  std::string bytes = "\x89PNG\r\n\x1a\n" + chunk("IHDR", header);
  if (!parts.profile.empty()) bytes += chunk("iCCP", std::string("p\0\0", 3) + stored(parts.profile));
  if (!parts.palette.empty()) bytes += chunk("PLTE", parts.palette);
  if (!parts.transparency.empty()) bytes += chunk("tRNS", parts.transparency);
  return bytes + chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

std::vector<PngChunk> png_chunks_of(std::string_view bytes) {
  std::vector<PngChunk> chunks;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    std::uint32_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    const std::string_view body = bytes.substr(at + 4, 4 + std::size_t{length});
    if (bytes.substr(at + 8 + length, 4) != be32(crc_of(body))) throw std::runtime_error("a PNG chunk with a wrong CRC");
    chunks.push_back({std::string(body.substr(0, 4)), std::string(body.substr(4))});
    at += 12 + std::size_t{length};
  }
  return chunks;
}

std::string tiff(const TiffParts& parts) {
  struct Entry {
    std::uint32_t tag, type, count;
    std::string value;
  };
  constexpr std::uint32_t kShort = 3;
  constexpr std::uint32_t kLong = 4;
  constexpr std::uint32_t kUndefined = 7;
  const auto each_sample = [&](std::uint32_t value) {
    std::string bytes;
    for (std::uint32_t i = 0; i < parts.samples; ++i) bytes += le16(value);
    return bytes;
  };
  const auto size = [](const std::string& bytes) { return static_cast<std::uint32_t>(bytes.size()); };
  std::vector<Entry> entries = {{256, kLong, 1, le32(parts.width)},
                                {257, kLong, 1, le32(parts.height)},
                                {258, kShort, parts.samples, each_sample(parts.bit_depth)},
                                {259, kShort, 1, le16(1)},
                                {262, kShort, 1, le16(parts.photometric)},
                                {273, kLong, 1, "data"},
                                {274, kShort, 1, le16(parts.orientation)},
                                {277, kShort, 1, le16(parts.samples)},
                                {278, kLong, 1, le32(parts.height)},
                                {279, kLong, 1, le32(size(parts.data))}};
  if (parts.extra != 0) entries.push_back({338, kShort, 1, le16(parts.extra)});
  entries.push_back({339, kShort, parts.samples, each_sample(parts.sample_format)});
  if (!parts.profile.empty()) entries.push_back({34675, kUndefined, size(parts.profile), parts.profile});
  std::uint32_t offset = 8 + 2 + 12 * static_cast<std::uint32_t>(entries.size()) + 4;
  std::uint32_t data_offset = offset;
  for (const Entry& entry : entries) data_offset += entry.value.size() > 4 ? size(entry.value) : 0;
  std::string bytes = std::string("II*\0", 4) + le32(8) + le16(static_cast<std::uint32_t>(entries.size()));
  std::string long_values;
  for (const Entry& entry : entries) {
    bytes += le16(entry.tag) + le16(entry.type) + le32(entry.count);
    if (entry.value == "data") {
      bytes += le32(data_offset);
    } else if (entry.value.size() > 4) {
      bytes += le32(offset + size(long_values));
      long_values += entry.value;
    } else {
      bytes += entry.value + std::string(4 - entry.value.size(), '\0');
    }
  }
  return bytes + le32(0) + long_values + parts.data;
}

std::string jpeg(int width, int height, JpegColour colour, const std::string& samples, int orientation, const std::string& profile) {
  start_vips();
  const int bands = colour == JpegColour::kGrey ? 1 : colour == JpegColour::kRgb ? 3 : 4;
  const VipsInterpretation kind = colour == JpegColour::kGrey  ? VIPS_INTERPRETATION_B_W
                                  : colour == JpegColour::kRgb ? VIPS_INTERPRETATION_sRGB
                                                               : VIPS_INTERPRETATION_CMYK;
  const VipsImagePtr raw(vips_image_new_from_memory(samples.data(), samples.size(), width, height, bands, VIPS_FORMAT_UCHAR));
  VipsImage* image = nullptr;
  if (raw == nullptr || vips_copy(raw.get(), &image, "interpretation", kind, nullptr) != 0) throw std::runtime_error(take_vips_error());
  const VipsImagePtr owned(image);
  if (orientation != 0) vips_image_set_int(image, VIPS_META_ORIENTATION, orientation);
  if (!profile.empty()) vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile.data(), profile.size());
  void* data = nullptr;
  std::size_t size = 0;
  if (vips_jpegsave_buffer(image, &data, &size, "Q", 100, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF, nullptr) != 0) {
    throw std::runtime_error(take_vips_error());
  }
  const std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  return bytes;
}

std::string big_endian16(const std::vector<int>& values) {
  std::string bytes;
  for (const int value : values) bytes += {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  return bytes;
}

}  // namespace impasto
