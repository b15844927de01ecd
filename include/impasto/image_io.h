// Picture files in and out, by libvips. A library of its own (CMake target impasto::image_io): who has pixels does not link it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "impasto/image.h"

namespace impasto {

struct ReadOptions {
  // A header that promises more is refused before a pixel is decoded.
  std::int64_t max_pixels = 300'000'000;
  // Where the file is transparent, the picture is composited over this colour (sRGB, 0..1).
  float matte[3] = {1.0f, 1.0f, 1.0f};
};

// A decoded file: upright (EXIF orientation applied), in sRGB (embedded ICC profile or CMYK converted), 16-bit precision kept (where a
// profile is applied: to about half an 8-bit level). A profile that is damaged or of another kind of colour is ignored, as viewers do.
struct Picture {
  Image image;
  // The file's transparency, height * width values in 0..1; empty where the file has none.
  std::vector<float> alpha;
};

// Reads a JPEG, PNG, TIFF or WebP file, and AVIF/HEIF where the installed libvips can. The first page of several.
// Loaders that libvips calls untrusted are blocked. Throws IoError naming the path for a file that is missing, empty, a
// directory, truncated, of an unknown format, or larger than max_pixels; std::bad_alloc when memory runs out.
Picture read_picture(const std::string& path, const ReadOptions& options = {});

struct WriteOptions {
  // 8 or 16. 16 needs a format that has it (PNG, TIFF); OptionError otherwise.
  int bit_depth = 8;
  // JPEG and WebP quality, 1..100.
  int quality = 95;
  // Written as PNG text chunks (UTF-8), elsewhere as XMP (namespace "urn:impasto:", spaces and colons of a key become underscores). A key
  // is a letter followed by letters, digits, single spaces or ._-: (79 in all); OptionError otherwise.
  std::map<std::string, std::string> metadata = {};
};

// Throws OptionError unless path's extension is one that write_picture can write with this bit depth (.png .jpg .jpeg .tif .tiff
// .webp, .avif where available), and IoError unless a file could be created in its directory. Creates nothing that stays.
void check_writable(const std::string& path, const WriteOptions& options = {});

// Writes picture to path in the format of its extension, tagged sRGB, values clamped to 0..1 and rounded to nearest. The file is
// written beside path, flushed to disk and renamed: path holds the old file or the whole new one. alpha empty: opaque. A
// format without transparency (JPEG) gets the picture as it is. Throws IoError naming path (disk full, not writable), OptionError as
// check_writable, ShapeError when sizes do not agree. NaN in the picture is an IoError: nothing is written.
void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options = {});

// One line naming the codec library and its version, for --version.
std::string image_io_version();

}  // namespace impasto
