// The project's own sample pair. Drawn, not photographed or copied: anyone may use them for anything.
#pragma once

#include "impasto/image.h"

namespace impasto::samples {

// The content: a riverside town in evening light, 640 x 480.
Image draw_town();

// The style: a landscape in thick, curved brush strokes, 640 x 480.
Image draw_painting();

}  // namespace impasto::samples
