// The light over the sample town, and where the town stands.
#pragma once

#include "tools/samples/canvas.h"

namespace impasto::samples {

constexpr float kQuay = 306.0f;       // foot of the houses
constexpr float kWaterline = 332.0f;  // foot of the quay wall

constexpr Colour kShade = {0.16f, 0.17f, 0.30f};
constexpr Colour kLight = {1.0f, 0.80f, 0.52f};

// Light from the left: `facing` is 1 on a surface turned to the sun, 0 on one turned away.
inline Colour lit(Colour surface, float facing) {
  const Colour light = mix(kShade, kLight, 0.35f + 0.65f * facing);
  return {surface.r * light.r * 1.15f, surface.g * light.g * 1.15f, surface.b * light.b * 1.15f};
}

// The church, and the row of houses along the quay that hides its foot.
void draw_church(Canvas& canvas);
void draw_town_houses(Canvas& canvas);

}  // namespace impasto::samples
