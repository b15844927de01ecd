#include "engine/image_io/encode.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/image_io/metadata.h"
#include "engine/image_io/vips_runtime.h"
#include "engine/one_line.h"
#include "impasto/error.h"

namespace impasto {
namespace {

// In double: value * white + 0.5 is then exact enough never to round up what is below the half.
template <class Sample>
Sample nearest(float value, double white) {
  return static_cast<Sample>(std::clamp(static_cast<double>(value), 0.0, 1.0) * white + 0.5);
}

// RGB or, where the picture has alpha and with_alpha, RGBA.
template <class Sample>
std::vector<Sample> quantised(const Picture& picture, bool with_alpha, double white) {
  const std::size_t count = picture.image.pixels.size() / 3;
  std::vector<Sample> samples(count * (with_alpha ? 4 : 3));
  const float* pixel = picture.image.pixels.data();
  Sample* out = samples.data();
  for (std::size_t i = 0; i < count; ++i, pixel += 3) {
    for (int c = 0; c < 3; ++c) *out++ = nearest<Sample>(pixel[c], white);
    if (with_alpha) *out++ = nearest<Sample>(picture.alpha[i], white);
  }
  return samples;
}

// A libvips image over samples, which must outlive it, tagged as sRGB.
template <class Sample>
VipsImagePtr tagged_image(const std::vector<Sample>& samples, const Picture& picture, bool with_alpha) {
  constexpr bool kWide = sizeof(Sample) == 2;
  constexpr double kPixelsPerMillimetre = 72 / 25.4;  // what a file that says nothing is taken to have
  const int bands = with_alpha ? 4 : 3;
  const VipsImagePtr raw(vips_image_new_from_memory(samples.data(), samples.size() * sizeof(Sample), picture.image.width,
                                                    picture.image.height, bands, kWide ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
  VipsImage* image = nullptr;
  if (raw == nullptr || vips_copy(raw.get(), &image, "interpretation", kWide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, "xres",
                                  kPixelsPerMillimetre, "yres", kPixelsPerMillimetre, nullptr) != 0) {
    return nullptr;
  }
  return VipsImagePtr(image);
}

void add_profile_and_xmp(VipsImage* image, const WriteOptions& options) {
  const VipsBlobPtr profile = srgb_profile();
  std::size_t size = 0;
  const void* data = vips_blob_get(profile.get(), &size);
  vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, data, size);
  // EXIF's name for sRGB; libvips writes an EXIF block in any case and would say "uncalibrated".
  vips_image_set_string(image, "exif-ifd2-ColorSpace", "1");
  if (options.metadata.empty()) return;
  const std::string packet = xmp_packet(options.metadata);
  vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, packet.data(), packet.size());
}

using Buffer = std::unique_ptr<char, decltype(&g_free)>;

std::string compressed(VipsImage* image, OutputFormat format, const WriteOptions& options, const std::string& path) {
  const auto fail = [&](const std::string& reason) { throw IoError("cannot write " + one_line(path) + ": " + reason); };
  void* data = nullptr;
  std::size_t size = 0;
  int status = 0;
  switch (format) {
    case OutputFormat::kPng:
      // Level 4 against the default 6: a 17-megapixel photograph in 1.6 s of CPU instead of 4.2 s, 4% larger.
      status = vips_pngsave_buffer(image, &data, &size, "compression", 4, "filter", VIPS_FOREIGN_PNG_FILTER_ALL, nullptr);
      break;
    case OutputFormat::kJpeg:
      status = vips_jpegsave_buffer(image, &data, &size, "Q", options.quality, "optimize_coding", TRUE, nullptr);
      break;
    case OutputFormat::kTiff:
      status = vips_tiffsave_buffer(image, &data, &size, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, nullptr);
      break;
    case OutputFormat::kWebp:
      status = vips_webpsave_buffer(image, &data, &size, "Q", options.quality, "smart_subsample", TRUE, nullptr);
      break;
    case OutputFormat::kAvif:
      // Effort 2 against the default 4: a 1024x768 photograph in 0.9 s instead of 4.4 s, 9% larger.
      status = vips_heifsave_buffer(image, &data, &size, "Q", options.quality, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "bitdepth",
                                    8, "effort", 2, nullptr);
      break;
  }
  const Buffer buffer(static_cast<char*>(data), g_free);
  if (status != 0) fail(take_vips_error());
  return std::string(buffer.get(), size);
}

template <class Sample>
std::string encode_as(const Picture& picture, OutputFormat format, const WriteOptions& options, const std::string& path, double white) {
  const bool with_alpha = !picture.alpha.empty() && format != OutputFormat::kJpeg;
  const std::vector<Sample> samples = quantised<Sample>(picture, with_alpha, white);
  const VipsImagePtr image = tagged_image(samples, picture, with_alpha);
  if (image == nullptr) throw IoError("cannot write " + one_line(path) + ": " + take_vips_error());
  if (format != OutputFormat::kPng) {
    add_profile_and_xmp(image.get(), options);
    return compressed(image.get(), format, options, path);
  }
  // libvips neither writes the sRGB chunk nor UTF-8 text.
  constexpr std::size_t kSignatureAndIhdr = 33;
  std::string bytes = compressed(image.get(), format, options, path);
  bytes.insert(kSignatureAndIhdr, png_chunks(options.metadata));
  return bytes;
}

}  // namespace

std::string encode(const Picture& picture, OutputFormat format, const WriteOptions& options, const std::string& path) {
  return options.bit_depth == 16 ? encode_as<std::uint16_t>(picture, format, options, path, 65535)
                                 : encode_as<std::uint8_t>(picture, format, options, path, 255);
}

}  // namespace impasto
