// At which size pictures are worked on.
#pragma once

#include <string>

#include "impasto/image.h"
#include "impasto/image_io.h"

namespace impasto::command {

struct Sizing {
  enum class Rule {
    kMaxWidth,     // at most `pixels` wide, never enlarged; 0: as they are
    kLongerSide,   // longer side exactly `pixels`, enlarged where smaller
    kShorterSide,  // shorter side exactly `pixels`, enlarged where smaller
  };
  Rule rule = Rule::kMaxWidth;
  int pixels = 400;
  Filter filter = Filter::kLanczos;
  bool antialias = true;
};

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
};

// The size at which a picture of `original` size is worked on. Keeps the aspect ratio; the other side is rounded to nearest (kShorterSide:
// cut off, as torchvision does), at least 1. Throws Failure (usage) where a side would exceed kMaxSide.
Size working_size(Size original, const Sizing& sizing);
inline constexpr int kMaxSide = 1'000'000;

// picture and its alpha resampled; alpha is clamped to 0..1. A picture that has the size already is returned as it is.
Picture resize_picture(Picture picture, Size size, const Sizing& sizing);

}  // namespace impasto::command
