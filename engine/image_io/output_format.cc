#include "engine/image_io/output_format.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "engine/image_io/vips_runtime.h"
#include "engine/one_line.h"
#include "impasto/error.h"

namespace impasto {
namespace {

// libheif may be there without an encoder for AV1, which only encoding shows.
bool writes_avif() {
  static const bool answer = [] {
    if (!has_operation("heifsave_buffer")) return false;
    constexpr int kSide = 16;
    VipsImage* black = nullptr;
    if (vips_black(&black, kSide, kSide, "bands", 3, nullptr) != 0) {
      vips_error_clear();
      return false;
    }
    const VipsImagePtr image(black);
    void* buffer = nullptr;
    std::size_t size = 0;
    const int status =
        vips_heifsave_buffer(image.get(), &buffer, &size, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "bitdepth", 8, nullptr);
    g_free(buffer);
    vips_error_clear();
    return status == 0;
  }();
  return answer;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_key(std::string_view key) {
  constexpr std::size_t kLongest = 79;  // of a PNG keyword
  if (key.empty() || key.size() > kLongest || !is_letter(key.front()) || key.back() == ' ') return false;
  if (key.find("  ") != std::string_view::npos) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || std::string_view(" ._-:").find(c) != std::string_view::npos;
  });
}

}  // namespace

OutputFormat output_format(const std::string& path, const WriteOptions& options) {
  constexpr std::array<std::pair<std::string_view, OutputFormat>, 7> kExtensions = {{{".png", OutputFormat::kPng},
                                                                                     {".jpg", OutputFormat::kJpeg},
                                                                                     {".jpeg", OutputFormat::kJpeg},
                                                                                     {".tif", OutputFormat::kTiff},
                                                                                     {".tiff", OutputFormat::kTiff},
                                                                                     {".webp", OutputFormat::kWebp},
                                                                                     {".avif", OutputFormat::kAvif}}};
  const auto fail = [&](const std::string& reason) { throw OptionError("cannot write " + one_line(path) + ": " + reason); };
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto found = std::find_if(kExtensions.begin(), kExtensions.end(), [&](const auto& entry) { return entry.first == extension; });
  if (found == kExtensions.end() || (found->second == OutputFormat::kAvif && !writes_avif())) {
    const std::string avif = writes_avif() ? " .avif" : "";
    fail((extension.empty() ? "no extension" : "extension " + one_line(extension)) + "; use .png .jpg .jpeg .tif .tiff .webp" + avif);
  }
  const OutputFormat format = found->second;
  if (options.bit_depth != 8 && options.bit_depth != 16) fail("bit depth " + std::to_string(options.bit_depth) + " is neither 8 nor 16");
  if (options.bit_depth == 16 && format != OutputFormat::kPng && format != OutputFormat::kTiff) {
    fail("16 bit needs .png, .tif or .tiff, not " + extension);
  }
  if (options.quality < 1 || options.quality > 100) fail("quality " + std::to_string(options.quality) + " is not in 1..100");
  for (const auto& [key, value] : options.metadata) {
    if (!is_key(key)) fail("metadata key '" + one_line(key) + "' is not a letter followed by letters, digits, spaces or ._-: (79 in all)");
  }
  return format;
}

}  // namespace impasto
