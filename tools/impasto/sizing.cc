#include "tools/impasto/sizing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tools/impasto/failure.h"

namespace impasto::command {

namespace {

// other * pixels / side in whole numbers, so that no aspect ratio suffers from rounding.
std::int64_t scaled(int other, int pixels, int side, bool round) {
  const std::int64_t product = std::int64_t{other} * pixels;
  return std::max<std::int64_t>(1, round ? (2 * product + side) / (2 * std::int64_t{side}) : product / side);
}

}  // namespace

Size working_size(Size original, const Sizing& sizing) {
  const auto [width, height] = original;
  std::int64_t out_width = width;
  std::int64_t out_height = height;
  bool width_leads = true;
  switch (sizing.rule) {
    case Sizing::Rule::kMaxWidth:
      if (sizing.pixels == 0 || width <= sizing.pixels) return original;
      break;
    case Sizing::Rule::kLongerSide:
      width_leads = width >= height;
      break;
    case Sizing::Rule::kShorterSide:
      width_leads = width <= height;
      break;
  }
  const bool round = sizing.rule != Sizing::Rule::kShorterSide;
  if (width_leads) {
    out_width = sizing.pixels;
    out_height = scaled(height, sizing.pixels, width, round);
  } else {
    out_width = scaled(width, sizing.pixels, height, round);
    out_height = sizing.pixels;
  }
  if (std::max(out_width, out_height) > kMaxSide) {
    throw Failure(kUsage, "a picture of " + std::to_string(width) + "x" + std::to_string(height) + " would become " +
                              std::to_string(out_width) + "x" + std::to_string(out_height) + "; at most " + std::to_string(kMaxSide) +
                              " pixels a side are accepted");
  }
  return {static_cast<int>(out_width), static_cast<int>(out_height)};
}

Picture resize_picture(Picture picture, Size size, const Sizing& sizing) {
  Image& image = picture.image;
  if (Size{image.width, image.height} == size) return picture;
  if (!picture.alpha.empty()) {
    Image grey{image.width, image.height, std::vector<float>(picture.alpha.size() * 3)};
    for (std::size_t i = 0; i < grey.pixels.size(); ++i) grey.pixels[i] = picture.alpha[i / 3];
    grey = resize(grey, size.width, size.height, sizing.filter, sizing.antialias);
    picture.alpha.resize(grey.pixels.size() / 3);
    for (std::size_t i = 0; i < picture.alpha.size(); ++i) picture.alpha[i] = std::clamp(grey.pixels[3 * i], 0.0f, 1.0f);
  }
  image = resize(image, size.width, size.height, sizing.filter, sizing.antialias);
  return picture;
}

}  // namespace impasto::command
