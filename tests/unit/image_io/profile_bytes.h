// ICC profiles small enough to know what they must do.
#pragma once

#include <array>
#include <string>

namespace impasto {

// Primaries as XYZ relative to D50, columns red, green, blue.
using Primaries = std::array<std::array<double, 3>, 3>;

// Of Adobe RGB (1998) and sRGB, as their published profiles hold them.
inline constexpr Primaries kAdobePrimaries = {{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}};
inline constexpr Primaries kSrgbPrimaries = {{{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.71410}}};

// A display profile: linear light = value^gamma, then the primaries.
std::string rgb_profile(double gamma, const Primaries& primaries);

// A grey profile: linear light = value^gamma.
std::string grey_profile(double gamma);

// What rgb_profile(gamma, primaries) makes of a colour, in sRGB, from the definitions alone. Colours in 0..1 that sRGB can show.
std::array<double, 3> to_srgb(const std::array<double, 3>& colour, double gamma, const Primaries& primaries);
double srgb_encoded(double linear);

}  // namespace impasto
