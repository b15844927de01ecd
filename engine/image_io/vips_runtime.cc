#include "engine/image_io/vips_runtime.h"

#include <array>
#include <new>
#include <string_view>

#include "engine/one_line.h"
#include "impasto/error.h"
#include "impasto/image_io.h"

namespace impasto {
namespace {

void ignore_message(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

bool start() {
  // libvips warns of what it tolerates (odd EXIF, a loader module that is absent) through this domain, by default on stderr.
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG),
                    ignore_message, nullptr);
  if (vips_init("impasto") != 0) throw IoError("libvips does not start: " + take_vips_error());
  vips_block_untrusted_set(TRUE);
  vips_cache_set_max(0);
  return true;
}

}  // namespace

void start_vips() {
  static const bool started = start();
  static_cast<void>(started);
}

std::string take_vips_error() {
  const std::unique_ptr<char, decltype(&g_free)> buffer(vips_error_buffer_copy(), g_free);
  const std::string_view text = buffer.get();
  if (text.find("out of memory") != std::string_view::npos) throw std::bad_alloc();
  std::string line;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (!line.empty() && end > start) line += "; ";
    line += one_line(text.substr(start, end - start));
    start = end + 1;
  }
  return line.empty() ? "libvips gives no reason" : line;
}

VipsBlobPtr srgb_profile() {
  VipsBlob* blob = nullptr;
  if (vips_profile_load("srgb", &blob, nullptr) != 0) throw IoError("libvips has no sRGB profile: " + take_vips_error());
  return VipsBlobPtr(blob);
}

bool has_operation(const char* name) { return vips_type_find("VipsOperation", name) != 0; }

std::string image_io_version() {
  start_vips();
  constexpr std::array<std::array<const char*, 2>, 5> kFormats = {{{"jpeg", "jpegload_source"},
                                                                   {"png", "pngload_source"},
                                                                   {"tiff", "tiffload_source"},
                                                                   {"webp", "webpload_source"},
                                                                   {"heif", "heifload_source"}}};
  std::string formats;
  for (const auto& [name, loader] : kFormats) {
    if (!has_operation(loader)) continue;
    if (!formats.empty()) formats += ' ';
    formats += name;
  }
  return "libvips " + std::to_string(vips_version(0)) + "." + std::to_string(vips_version(1)) + "." + std::to_string(vips_version(2)) +
         " (" + formats + ")";
}

}  // namespace impasto
