#include "tests/unit/image_io/profile_bytes.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace impasto {
namespace {

std::string be(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::string fixed(double value) { return be(static_cast<std::uint32_t>(std::lround(value * 65536)), 4); }

std::string xyz(const std::array<double, 3>& v) { return "XYZ " + be(0, 4) + fixed(v[0]) + fixed(v[1]) + fixed(v[2]); }

std::string curve(double gamma) {
  return "curv" + be(0, 4) + be(1, 4) + be(static_cast<std::uint32_t>(std::lround(gamma * 256)), 2) + be(0, 2);
}

std::string text() { return "text" + be(0, 4) + std::string("none\0\0\0\0", 8); }

std::string description() {
  const std::string name("test\0", 5);
  std::string tag = "desc" + be(0, 4) + be(5, 4) + name + std::string(4 + 4 + 2 + 1 + 67, '\0');
  return tag + std::string((4 - tag.size() % 4) % 4, '\0');
}

constexpr std::array<double, 3> kD50 = {0.9642, 1.0, 0.8249};

// ICC.1:2001-04, version 2.
std::string profile(const std::string& colour_space, const std::vector<std::pair<std::string, std::string>>& tags) {
  const std::uint32_t start = 128 + 4 + 12 * static_cast<std::uint32_t>(tags.size());
  std::string table = be(static_cast<std::uint32_t>(tags.size()), 4);
  std::string data;
  for (const auto& [name, value] : tags) {
    table += name + be(start + static_cast<std::uint32_t>(data.size()), 4) + be(static_cast<std::uint32_t>(value.size()), 4);
    data += value;
  }
  std::string header =
      be(start + static_cast<std::uint32_t>(data.size()), 4) + be(0, 4) + be(0x02100000, 4) + "mntr" + colour_space + "XYZ ";
  header += std::string(12, '\0') + "acsp" + std::string(28, '\0') + fixed(kD50[0]) + fixed(kD50[1]) + fixed(kD50[2]);
  header += std::string(128 - header.size(), '\0');
  return header + table + data;
}

}  // namespace

std::string rgb_profile(double gamma, const Primaries& primaries) {
  return profile("RGB ", {{"desc", description()},
                          {"cprt", text()},
                          {"wtpt", xyz(kD50)},
                          {"rXYZ", xyz(primaries[0])},
                          {"gXYZ", xyz(primaries[1])},
                          {"bXYZ", xyz(primaries[2])},
                          {"rTRC", curve(gamma)},
                          {"gTRC", curve(gamma)},
                          {"bTRC", curve(gamma)}});
}

std::string grey_profile(double gamma) {
  return profile("GRAY", {{"desc", description()}, {"cprt", text()}, {"wtpt", xyz(kD50)}, {"kTRC", curve(gamma)}});
}

double srgb_encoded(double linear) { return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055; }

std::array<double, 3> to_srgb(const std::array<double, 3>& colour, double gamma, const Primaries& primaries) {
  std::array<double, 3> target{};
  for (int i = 0; i < 3; ++i) {
    for (int c = 0; c < 3; ++c) target[i] += primaries[c][i] * std::pow(colour[c], gamma);
  }
  // Cramer's rule for kSrgbPrimaries * linear = target.
  const auto determinant = [](const Primaries& m) {
    return m[0][0] * (m[1][1] * m[2][2] - m[2][1] * m[1][2]) - m[1][0] * (m[0][1] * m[2][2] - m[2][1] * m[0][2]) +
           m[2][0] * (m[0][1] * m[1][2] - m[1][1] * m[0][2]);
  };
  std::array<double, 3> out{};
  for (int c = 0; c < 3; ++c) {
    Primaries replaced = kSrgbPrimaries;
    replaced[c] = target;
    out[c] = srgb_encoded(determinant(replaced) / determinant(kSrgbPrimaries));
  }
  return out;
}

}  // namespace impasto
