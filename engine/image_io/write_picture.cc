#include <algorithm>
#include <cmath>

#include "engine/image_io/encode.h"
#include "engine/image_io/output_format.h"
#include "engine/image_io/vips_runtime.h"
#include "engine/one_line.h"
#include "engine/replace_file.h"
#include "impasto/error.h"
#include "impasto/image_io.h"

namespace impasto {
namespace {

void check_sizes(const Picture& picture, const std::string& path) {
  const Image& image = picture.image;
  const std::string size = std::to_string(image.width) + "x" + std::to_string(image.height);
  const auto fail = [&](const std::string& reason) { throw ShapeError("cannot write " + one_line(path) + ": " + reason); };
  if (image.width < 1 || image.height < 1) fail("a picture of " + size + " has no pixels");
  const std::size_t count = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.pixels.size() != 3 * count) {
    fail("a picture of " + size + " has " + std::to_string(image.pixels.size()) + " values where " + std::to_string(3 * count) +
         " are needed");
  }
  if (!picture.alpha.empty() && picture.alpha.size() != count) {
    fail("a picture of " + size + " has " + std::to_string(picture.alpha.size()) + " alpha values where " + std::to_string(count) +
         " are needed");
  }
}

void check_numbers(const std::vector<float>& values, std::size_t per_pixel, int width, const std::string& path) {
  const auto found = std::find_if(values.begin(), values.end(), [](float value) { return std::isnan(value); });
  if (found == values.end()) return;
  const std::size_t pixel = static_cast<std::size_t>(found - values.begin()) / per_pixel;
  const std::size_t row_length = static_cast<std::size_t>(width);
  throw IoError("cannot write " + one_line(path) + ": the picture holds NaN at column " + std::to_string(pixel % row_length) + ", row " +
                std::to_string(pixel / row_length) + "; finite values are needed");
}

}  // namespace

void check_writable(const std::string& path, const WriteOptions& options) {
  start_vips();
  static_cast<void>(output_format(path, options));
  check_replaceable(path);
}

void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options) {
  start_vips();
  const OutputFormat format = output_format(path, options);
  check_sizes(picture, path);
  check_numbers(picture.image.pixels, 3, picture.image.width, path);
  check_numbers(picture.alpha, 1, picture.image.width, path);
  replace_file(path, encode(picture, format, options, path));
}

}  // namespace impasto
