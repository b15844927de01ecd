#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

#include "engine/image_io/vips_runtime.h"
#include "engine/one_line.h"
#include "impasto/error.h"
#include "impasto/image_io.h"

namespace impasto {
namespace {

class ReadFailure {
 public:
  explicit ReadFailure(const std::string& path) : path_(one_line(path)) {}
  [[noreturn]] void operator()(const std::string& reason) const { throw IoError("cannot read " + path_ + ": " + reason); }
  // For a step of libvips that failed.
  [[noreturn]] void undecodable() const { (*this)("it does not decode, damaged or cut short: " + take_vips_error()); }

 private:
  std::string path_;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The path is opened here and not by libvips, which takes "[...]" at its end for options.
VipsSourcePtr open_source(const std::string& path, const ReadFailure& fail) {
  // Not blocking: opening a pipe that nobody writes to must not wait.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) fail(std::generic_category().message(errno));
  if (S_ISDIR(status.st_mode)) fail("it is a directory");
  if (!S_ISREG(status.st_mode)) fail("it is not a regular file");
  if (status.st_size == 0) fail("the file is empty");
  VipsSource* source = vips_source_new_from_descriptor(file.get());
  if (source == nullptr) fail(take_vips_error());
  return VipsSourcePtr(source);
}

using Loader = int (*)(VipsSource*, VipsImage**, ...);

// The loader for the first bytes of the file, never for its name. libvips would choose among all its loaders by asking each; here only
// these five are ever asked.
Loader loader_of(VipsSource* source, const ReadFailure& fail) {
  constexpr std::size_t kLength = 12;
  const unsigned char* sniffed = vips_source_sniff(source, kLength);
  if (sniffed == nullptr) {
    vips_error_clear();
    fail("it is too short for a picture");
  }
  const std::string_view start(reinterpret_cast<const char*>(sniffed), kLength);
  const auto begins = [&](std::string_view signature) { return start.substr(0, signature.size()) == signature; };
  if (begins("\xff\xd8\xff")) return vips_jpegload_source;
  if (begins("\x89PNG\r\n\x1a\n")) return vips_pngload_source;
  for (const std::string_view tiff :
       {std::string_view("II*\0", 4), std::string_view("MM\0*", 4), std::string_view("II+\0", 4), std::string_view("MM\0+", 4)}) {
    if (begins(tiff)) return vips_tiffload_source;
  }
  if (begins("RIFF") && start.substr(8) == "WEBP") return vips_webpload_source;
  if (start.substr(4, 4) == "ftyp") {
    // Other brands of this container are films.
    for (const std::string_view brand : {"avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"}) {
      if (start.substr(8) != brand) continue;
      if (!has_operation("heifload_source")) fail("this libvips cannot read AVIF and HEIF");
      return vips_heifload_source;
    }
  }
  fail("not a picture in a known format (JPEG, PNG, TIFF, WebP, AVIF, HEIF)");
}

// A step of the pipeline: the image that an operation made, or IoError with its complaint.
VipsImagePtr made(int status, VipsImage* image, const ReadFailure& fail) {
  if (status != 0) fail.undecodable();
  return VipsImagePtr(image);
}

VipsImagePtr load_header(VipsSource* source, const ReadOptions& options, const ReadFailure& fail) {
  const Loader load = loader_of(source, fail);
  VipsImage* image = nullptr;
  // Sequential: rows are decoded as they are asked for, top to bottom. VIPS_FAIL_ON_ERROR takes in truncation.
  const int status = load(source, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
  VipsImagePtr header = made(status, image, fail);
  const std::int64_t width = header->Xsize;
  const std::int64_t height = header->Ysize;
  if (width * height > options.max_pixels) {
    fail(std::to_string(width) + "x" + std::to_string(height) + " is more than the limit of " + std::to_string(options.max_pixels) +
         " pixels");
  }
  return header;
}

VipsImagePtr upright(VipsImagePtr image, const ReadFailure& fail) {
  if (vips_image_get_orientation(image.get()) == 1) return image;
  // Turning needs rows in another order than they are decoded in.
  vips_error_clear();
  VipsImagePtr decoded(vips_image_copy_memory(image.get()));
  if (decoded == nullptr || *vips_error_buffer() != '\0') fail.undecodable();
  VipsImage* turned = nullptr;
  const int status = vips_autorot(decoded.get(), &turned, nullptr);
  return made(status, turned, fail);
}

// Whether an image without alpha carries an ICC profile for its kind of colour, and not the very one that our own output carries.
bool needs_profile(VipsImage* colours) {
  constexpr std::size_t kHeader = 128;
  constexpr std::size_t kColourSpace = 16;
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(colours, VIPS_META_ICC_NAME) == 0) return false;
  if (vips_image_get_blob(colours, VIPS_META_ICC_NAME, &data, &size) != 0) {
    vips_error_clear();
    return false;
  }
  if (size < kHeader) return false;
  const std::string_view space = colours->Type == VIPS_INTERPRETATION_CMYK ? "CMYK" : colours->Bands == 1 ? "GRAY" : "RGB ";
  if (std::string_view(static_cast<const char*>(data) + kColourSpace, 4) != space) return false;
  const VipsBlobPtr srgb = srgb_profile();
  std::size_t srgb_size = 0;
  const void* srgb_data = vips_blob_get(srgb.get(), &srgb_size);
  return size != srgb_size || std::memcmp(data, srgb_data, size) != 0;
}

// Colours without alpha, converted to 16-bit sRGB; null where they are sRGB or grey already. 16 bit also for 8-bit files, so that what
// comes of a wide space is not rounded twice. Relative colorimetric with black point compensation is what picture editors do by default.
VipsImagePtr converted_to_srgb(VipsImage* colours, const ReadFailure& fail) {
  VipsImage* converted = nullptr;
  if (needs_profile(colours)) {
    if (vips_icc_transform(colours, &converted, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE,
                           "depth", 16, nullptr) == 0) {
      return VipsImagePtr(converted);
    }
    // A damaged profile: the picture is taken as if it had none, as viewers do.
    static_cast<void>(take_vips_error());
  }
  switch (colours->Type) {
    case VIPS_INTERPRETATION_CMYK: {
      const int status = vips_icc_transform(colours, &converted, "srgb", "input_profile", "cmyk", "intent", VIPS_INTENT_RELATIVE,
                                            "black_point_compensation", TRUE, "depth", 16, nullptr);
      return made(status, converted, fail);
    }
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_scRGB: {
      const int status = vips_colourspace(colours, &converted, VIPS_INTERPRETATION_RGB16, nullptr);
      return made(status, converted, fail);
    }
    default:
      return nullptr;
  }
}

// alpha as 16-bit samples.
VipsImagePtr widened(VipsImagePtr alpha, const ReadFailure& fail) {
  if (alpha->BandFmt != VIPS_FORMAT_UCHAR) return alpha;
  constexpr double kWiden = 65535 / 255;
  VipsImage* scaled = nullptr;
  const int status_scaled = vips_linear1(alpha.get(), &scaled, kWiden, 0.0, nullptr);
  const VipsImagePtr owned = made(status_scaled, scaled, fail);
  VipsImage* cast = nullptr;
  const int status_cast = vips_cast(owned.get(), &cast, VIPS_FORMAT_USHORT, nullptr);
  return made(status_cast, cast, fail);
}

// Grey or RGB, 8 or 16 bit, sRGB-encoded, with alpha where image has it. The alpha goes past the conversion, which libvips 8.14 does not
// scale along with the colours.
VipsImagePtr in_srgb(VipsImagePtr image, const ReadFailure& fail) {
  if (!vips_image_hasalpha(image.get())) {
    VipsImagePtr converted = converted_to_srgb(image.get(), fail);
    return converted ? std::move(converted) : std::move(image);
  }
  const int last = image->Bands - 1;
  VipsImage* taken = nullptr;
  const int status_colours = vips_extract_band(image.get(), &taken, 0, "n", last, nullptr);
  const VipsImagePtr colours = made(status_colours, taken, fail);
  const VipsImagePtr converted = converted_to_srgb(colours.get(), fail);
  if (converted == nullptr) return image;
  const int status_alpha = vips_extract_band(image.get(), &taken, last, nullptr);
  const VipsImagePtr alpha = widened(made(status_alpha, taken, fail), fail);
  VipsImage* joined = nullptr;
  const int status_joined = vips_bandjoin2(converted.get(), alpha.get(), &joined, nullptr);
  return made(status_joined, joined, fail);
}

// Where decoded rows end: the vectors of a Picture, reserved beforehand, so that adding to them neither allocates nor throws and a file
// that is cut short has touched no more memory than its rows.
struct RowSink {
  Picture* picture;
  std::array<float, 3> matte;
  bool grey;
  bool alpha;
};

template <class Sample>
void append_row(const Sample* row, int width, float white, const RowSink& sink) {
  const std::size_t colours = sink.grey ? 1 : 3;
  const std::size_t bands = colours + (sink.alpha ? 1 : 0);
  std::vector<float>& pixels = sink.picture->image.pixels;
  const std::size_t start = pixels.size();
  pixels.resize(start + 3 * static_cast<std::size_t>(width));
  float* out = pixels.data() + start;
  for (int x = 0; x < width; ++x, row += bands, out += 3) {
    for (std::size_t c = 0; c < 3; ++c) out[c] = static_cast<float>(row[sink.grey ? 0 : c]) / white;
    if (!sink.alpha) continue;
    const float alpha = static_cast<float>(row[colours]) / white;
    for (std::size_t c = 0; c < 3; ++c) out[c] = out[c] * alpha + sink.matte[c] * (1 - alpha);
    sink.picture->alpha.push_back(alpha);
  }
}

int append_rows(VipsRegion* region, VipsRect* area, void* data) {
  const RowSink& sink = *static_cast<const RowSink*>(data);
  for (int y = area->top; y < VIPS_RECT_BOTTOM(area); ++y) {
    const VipsPel* row = VIPS_REGION_ADDR(region, area->left, y);
    if (region->im->BandFmt == VIPS_FORMAT_UCHAR) {
      append_row(row, area->width, 255.0f, sink);
    } else {
      append_row(reinterpret_cast<const std::uint16_t*>(row), area->width, 65535.0f, sink);
    }
  }
  return 0;
}

Picture decode(VipsImage* image, const ReadOptions& options, const ReadFailure& fail) {
  if (image->BandFmt != VIPS_FORMAT_UCHAR && image->BandFmt != VIPS_FORMAT_USHORT) {
    fail("its samples are of type " + std::string(vips_enum_nick(VIPS_TYPE_BAND_FORMAT, image->BandFmt)) + ", not 8 or 16 bit");
  }
  if (image->Bands > 4) fail("it has " + std::to_string(image->Bands) + " channels, more than RGB and alpha");
  Picture picture;
  picture.image.width = image->Xsize;
  picture.image.height = image->Ysize;
  RowSink sink{&picture, {options.matte[0], options.matte[1], options.matte[2]}, image->Bands < 3, image->Bands % 2 == 0};
  const std::size_t count = static_cast<std::size_t>(image->Xsize) * static_cast<std::size_t>(image->Ysize);
  picture.image.pixels.reserve(3 * count);
  if (sink.alpha) picture.alpha.reserve(count);
  vips_error_clear();
  const int status = vips_sink_disc(image, append_rows, &sink);
  // Where a row of a file that is cut short fails in one worker, another that waited for it may go on with black and the whole
  // succeed (seen with 8.14, once in ten): the reason is in the buffer of errors all the same.
  if (status != 0 || *vips_error_buffer() != '\0') fail.undecodable();
  return picture;
}

}  // namespace

Picture read_picture(const std::string& path, const ReadOptions& options) {
  start_vips();
  // One at a time: libvips has one buffer of errors for all threads, and an error in it must be this picture's.
  static std::mutex one_reader;
  const std::lock_guard lock(one_reader);
  const ReadFailure fail(path);
  const VipsSourcePtr source = open_source(path, fail);
  VipsImagePtr image = load_header(source.get(), options, fail);
  image = upright(std::move(image), fail);
  image = in_srgb(std::move(image), fail);
  return decode(image.get(), options, fail);
}

}  // namespace impasto
