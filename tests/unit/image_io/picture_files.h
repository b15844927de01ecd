// Picture files made byte by byte or by libvips, in a directory that goes away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

// An empty directory, removed with what is in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  std::string path(std::string_view name) const;
  // Writes bytes to a file and returns its path.
  std::string file(std::string_view name, std::string_view bytes) const;
  // Names of what the directory holds, sorted.
  std::vector<std::string> entries() const;

 private:
  std::string root_;
};

std::string bytes_of(const std::string& path);

// A PNG of the given colour type (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA), not compressed. data: rows without their filter
// bytes, 16-bit samples big-endian.
struct PngParts {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  int bit_depth = 8;
  int colour_type = 2;
  std::string data;
  std::string palette = {};
  std::string transparency = {};
  std::string profile = {};
};
std::string png(const PngParts& parts);

// Chunks of a PNG by type, in order.
struct PngChunk {
  std::string type;
  std::string data;
};
std::vector<PngChunk> png_chunks_of(std::string_view bytes);

// A little-endian TIFF, one strip, not compressed; pixels come last. photometric: 1 grey, 2 RGB, 5 CMYK. extra: 0, or TIFF's ExtraSamples
// code of the last sample (2: alpha not premultiplied).
struct TiffParts {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  std::uint32_t bit_depth = 8;
  std::uint32_t samples = 3;
  std::uint32_t photometric = 2;
  std::uint32_t orientation = 1;
  std::uint32_t extra = 0;
  std::uint32_t sample_format = 1;
  std::string data;
  std::string profile = {};
};
std::string tiff(const TiffParts& parts);

enum class JpegColour { kRgb, kGrey, kCmyk };
// By libvips, quality 100, no subsampling. orientation 0: none is written.
std::string jpeg(int width, int height, JpegColour colour, const std::string& samples, int orientation = 0,
                 const std::string& profile = {});

// Two bytes per value.
std::string big_endian16(const std::vector<int>& values);

}  // namespace impasto
