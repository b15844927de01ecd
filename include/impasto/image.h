// Pictures as the library takes and returns them: plain float pixels. Files are read and written by impasto/image_io.h.
#pragma once

#include <vector>

namespace impasto {

// An RGB picture. pixels holds height * width * 3 values in row order, red green blue interleaved, sRGB-encoded,
// 0 = black, 1 = white; values outside 0..1 are kept until a picture is written to a file. Owns its pixels.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<float> pixels;
};

enum class Filter { kBilinear, kBicubic, kLanczos };

// image resampled to width x height. With antialias the filter is widened by the reduction factor, as Pillow does: bilinear
// (triangle, radius 1), bicubic (Keys a = -0.5, radius 2) and Lanczos (radius 3), sample centres at half-integers, weights
// normalised at the borders. Without antialias only kBilinear is accepted: two taps per axis, edge samples repeated, as
// torch.nn.functional.interpolate(mode="bilinear", align_corners=False). Separable, computed in float with double weights.
// Throws ShapeError for an empty image or a size < 1, OptionError for kBicubic or kLanczos without antialias.
Image resize(const Image& image, int width, int height, Filter filter, bool antialias = true);

}  // namespace impasto
