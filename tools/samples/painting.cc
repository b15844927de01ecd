// The style picture: an invented landscape at dusk, painted as a painter would, from large strokes to small. A stroke follows the
// flow of what it depicts, carries one loaded colour streaked by its bristles, and leaves ridges that the light catches.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tools/samples/canvas.h"
#include "tools/samples/pictures.h"

namespace impasto::samples {

namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 480;

struct Vortex {
  float x, y, radius, turn;  // turn: direction of rotation, +1 or -1
};
constexpr std::array<Vortex, 5> kVortices = {
    {{196, 118, 92, 1}, {352, 176, 70, -1}, {486, 84, 66, 1}, {70, 214, 48, -1}, {582, 206, 44, 1}}};
struct Lamp {
  float x, y, radius;
};
constexpr std::array<Lamp, 7> kLamps = {
    {{486, 84, 30}, {60, 60, 13}, {128, 196, 10}, {300, 52, 12}, {404, 118, 11}, {594, 148, 13}, {270, 214, 9}}};

// Height of the ridge of the far hills, the near hill and the front of the field at x.
float far_ridge(float x) { return 268.0f + 26.0f * std::sin(x / 88.0f + 0.6f) + 10.0f * std::sin(x / 33.0f); }
float near_ridge(float x) { return 318.0f - 34.0f * std::sin(x / 150.0f + 2.3f) + 6.0f * std::sin(x / 41.0f + 1.0f); }
float field_edge(float x) { return 380.0f + 22.0f * std::sin(x / 120.0f) - 0.03f * x; }

// Two trees like flames: distance from the middle line, as a share of the half width; > 1 outside.
float flame_tree(float x, float y) {
  float nearest = 9.0f;
  constexpr std::array<std::array<float, 4>, 2> trees = {{{112, 66, 470, 46}, {164, 196, 464, 30}}};  // x, top, foot, half width
  for (const auto& [centre, top, foot, half] : trees) {
    const float t = (y - top) / (foot - top);
    if (t <= 0.0f || t >= 1.05f) continue;
    const float spine = centre + 9.0f * std::sin(t * 7.0f + centre) * (1.0f - t);
    const float width = half * std::pow(t, 0.62f) * (1.12f - 0.35f * t) + 2.5f * std::sin(t * 26.0f + centre);
    nearest = std::min(nearest, std::abs(x - spine) / std::max(width, 1.0f));
  }
  return nearest;
}

enum class Part { kSky, kFarHills, kNearHill, kField, kTree };

Part part_at(float x, float y) {
  if (flame_tree(x, y) < 1.0f) return Part::kTree;
  if (y > field_edge(x)) return Part::kField;
  if (y > near_ridge(x)) return Part::kNearHill;
  if (y > far_ridge(x)) return Part::kFarHills;
  return Part::kSky;
}

// Unit vector along which paint is drawn out at (x, y).
Point flow_at(float x, float y) {
  Point flow;
  switch (part_at(x, y)) {
    case Part::kSky: {
      flow = {1.0f, 0.22f * std::sin(x / 76.0f + y / 60.0f)};
      for (const Vortex& vortex : kVortices) {
        const float dx = x - vortex.x;
        const float dy = y - vortex.y;
        const float d = std::hypot(dx, dy) + 1e-3f;
        const float pull = 2.6f * std::exp(-std::pow(d / vortex.radius, 2.0f));
        // Around the centre, and a little towards it: a spiral.
        flow.x += pull * (-dy * vortex.turn - 0.18f * dx) / d;
        flow.y += pull * (dx * vortex.turn - 0.18f * dy) / d;
      }
      for (const Lamp& lamp : kLamps) {
        const float dx = x - lamp.x;
        const float dy = y - lamp.y;
        const float d = std::hypot(dx, dy) + 1e-3f;
        const float pull = 3.2f * std::exp(-std::pow(d / (2.3f * lamp.radius), 2.0f));
        flow.x += pull * -dy / d;
        flow.y += pull * dx / d;
      }
      break;
    }
    case Part::kFarHills:
      flow = {1.0f, (far_ridge(x + 1.0f) - far_ridge(x - 1.0f)) * 0.5f + 0.5f * noise(x / 30.0f, y / 20.0f, 205)};
      break;
    case Part::kNearHill:
      flow = {1.0f, (near_ridge(x + 1.0f) - near_ridge(x - 1.0f)) * 0.5f + 0.7f * std::sin(x / 27.0f + y / 15.0f)};
      break;
    // Furrows run together in a point on the horizon, the ears sway across them.
    case Part::kField:
      flow = {(x - 420.0f) * 0.5f + 46.0f * noise(x / 50.0f, y / 30.0f, 206), y - 300.0f};
      break;
    case Part::kTree:
      flow = {0.75f * std::sin(y / 21.0f + x / 15.0f), -1.0f};
      break;
  }
  const float length = std::hypot(flow.x, flow.y) + 1e-6f;
  return {flow.x / length, flow.y / length};
}

// Palettes, dark to light; a stroke takes a place in one by the light of the scene and some chance.
template <std::size_t N>
Colour from_palette(const std::array<Colour, N>& palette, float place) {
  const float at = clamp01(place) * (N - 1);
  const std::size_t lower = std::min(static_cast<std::size_t>(at), N - 2);
  return mix(palette[lower], palette[lower + 1], at - static_cast<float>(lower));
}

constexpr std::array<Colour, 7> kSky = {{{0.05f, 0.08f, 0.27f},
                                         {0.08f, 0.17f, 0.45f},
                                         {0.12f, 0.30f, 0.60f},
                                         {0.20f, 0.46f, 0.70f},
                                         {0.42f, 0.66f, 0.74f},
                                         {0.74f, 0.84f, 0.72f},
                                         {0.96f, 0.92f, 0.68f}}};
constexpr std::array<Colour, 5> kLampColours = {
    {{0.62f, 0.68f, 0.46f}, {0.88f, 0.72f, 0.24f}, {0.98f, 0.78f, 0.16f}, {1.0f, 0.90f, 0.46f}, {1.0f, 0.98f, 0.84f}}};
constexpr std::array<Colour, 5> kFarHills = {
    {{0.08f, 0.12f, 0.34f}, {0.14f, 0.22f, 0.48f}, {0.26f, 0.32f, 0.58f}, {0.42f, 0.44f, 0.62f}, {0.62f, 0.60f, 0.66f}}};
constexpr std::array<Colour, 5> kNearHill = {
    {{0.04f, 0.16f, 0.14f}, {0.09f, 0.30f, 0.20f}, {0.24f, 0.44f, 0.20f}, {0.48f, 0.58f, 0.24f}, {0.76f, 0.74f, 0.32f}}};
constexpr std::array<Colour, 6> kField = {{{0.40f, 0.18f, 0.08f},
                                           {0.64f, 0.32f, 0.08f},
                                           {0.84f, 0.52f, 0.10f},
                                           {0.94f, 0.70f, 0.16f},
                                           {0.98f, 0.84f, 0.34f},
                                           {0.72f, 0.72f, 0.30f}}};
constexpr std::array<Colour, 5> kTree = {
    {{0.03f, 0.06f, 0.08f}, {0.05f, 0.14f, 0.10f}, {0.12f, 0.24f, 0.10f}, {0.30f, 0.34f, 0.12f}, {0.46f, 0.30f, 0.12f}}};

Colour paint_at(float x, float y, Random& random) {
  const float chance = random.between(-1.0f, 1.0f);
  switch (part_at(x, y)) {
    case Part::kSky: {
      for (const Lamp& lamp : kLamps) {
        const float d = std::hypot(x - lamp.x, y - lamp.y) / lamp.radius;
        if (d < 2.4f && chance < 2.6f - 1.3f * d) return from_palette(kLampColours, 1.0f - 0.42f * d + 0.10f * chance);
      }
      float light = 0.20f + 0.34f * y / 280.0f;
      for (const Vortex& vortex : kVortices) {
        const float dx = x - vortex.x;
        const float dy = y - vortex.y;
        const float d = std::hypot(dx, dy) / vortex.radius;
        // Arms of the spiral, light and dark.
        const float arm = std::sin(2.0f * std::atan2(dy, dx) * vortex.turn - 8.5f * d);
        light += (0.15f + 0.20f * arm) * std::exp(-d * d * 0.9f);
      }
      light += 0.10f * std::sin(y / 12.0f + 0.9f * std::sin(x / 60.0f));
      return from_palette(kSky, light + 0.17f * chance);
    }
    case Part::kFarHills:
      return from_palette(kFarHills, 0.42f - (y - far_ridge(x)) / 90.0f + 0.30f * chance);
    case Part::kNearHill:
      return from_palette(kNearHill, 0.46f + 0.30f * std::sin(x / 24.0f + y / 11.0f) - (y - near_ridge(x)) / 160.0f + 0.26f * chance);
    case Part::kField: {
      if (chance > 0.955f) return {0.78f, 0.16f, 0.10f};  // poppies
      return from_palette(kField, 0.52f + 0.28f * std::sin((x - 420.0f) / (y - 290.0f) * 7.0f) + 0.30f * chance);
    }
    case Part::kTree:
      return from_palette(kTree, 0.34f + 0.30f * std::sin(y / 15.0f + x / 7.0f) + 0.32f * chance);
  }
  return {};
}

struct Layer {
  int strokes;
  float width, length;  // half width and length of a stroke, in pixels of the picture
  float cover;          // how opaque the paint is
};

// The wet surface: colour on the canvas, and how high the paint stands at each of its samples.
class Surface {
 public:
  Surface() : colours_(kWidth, kHeight), heights_(static_cast<std::size_t>(kColumns) * kRows, 0.0f) {
    // Toned ground, seen where strokes leave gaps.
    colours_.paint(0, 0, kWidth, kHeight, [](float x, float y) {
      return Canvas::Paint{Colour{0.46f, 0.33f, 0.22f} * (1.0f + 0.12f * noise(x / 1.3f, y / 1.3f, 201))};
    });
  }

  void stroke(float x, float y, const Layer& layer, Random& random) {
    const float half = layer.width * random.between(0.75f, 1.3f);
    const float length = layer.length * random.between(0.6f, 1.35f);
    const Colour first = paint_at(x, y, random);
    const Colour second = mix(first, paint_at(x, y, random), 0.6f);  // brushes are rarely clean
    const std::uint32_t hair = static_cast<std::uint32_t>(random.bits());
    const Part part = part_at(x, y);

    std::vector<Point> path = {{x, y}};
    const float step = 3.0f;
    for (float walked = 0.0f; walked < length; walked += step) {
      const Point flow = flow_at(path.back().x, path.back().y);
      const Point next = {path.back().x + step * flow.x, path.back().y + step * flow.y};
      if (part_at(next.x, next.y) != part && walked > 0.3f * length) break;
      path.push_back(next);
    }
    if (path.size() < 3) return;

    float left = path[0].x, right = left, top = path[0].y, bottom = top;
    for (const Point& point : path) {
      left = std::min(left, point.x);
      right = std::max(right, point.x);
      top = std::min(top, point.y);
      bottom = std::max(bottom, point.y);
    }
    const float whole = static_cast<float>(path.size() - 1) * step;
    colours_.paint(left - half, top - half, right + half, bottom + half, [&](float px, float py) {
      // Where on the brush this sample lies: across in -1..1, along in pixels.
      float nearest = half * half;
      float across = 2.0f;
      float along = 0.0f;
      for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        const float ax = px - path[i].x;
        const float ay = py - path[i].y;
        const float dx = (path[i + 1].x - path[i].x) / step;
        const float dy = (path[i + 1].y - path[i].y) / step;
        const float t = std::clamp(ax * dx + ay * dy, 0.0f, step);
        const float d = (ax - t * dx) * (ax - t * dx) + (ay - t * dy) * (ay - t * dy);
        if (d < nearest) {
          nearest = d;
          across = (ax * dy - ay * dx) / half;
          along = static_cast<float>(i) * step + ax * dx + ay * dy;
        }
      }
      if (std::abs(across) >= 1.0f) return Canvas::Paint{{}, 0.0f};
      const float t = along / whole;
      const float bristle = noise(across * half * 1.25f, along / 22.0f, hair);
      const float fine = noise(across * half * 2.6f, along / 10.0f, hair + 1);
      // The brush runs dry: hairs lift one after the other, and its ends are ragged.
      const float end = smoothstep(-0.02f, 0.07f, t + 0.05f * fine) * (1.0f - smoothstep(0.74f, 1.0f, t + 0.22f * bristle));
      const float edge = 1.0f - smoothstep(0.72f, 1.0f, std::abs(across) + 0.22f * fine);
      const float alpha = end * edge * layer.cover;
      if (alpha <= 0.0f) return Canvas::Paint{{}, 0.0f};
      const std::size_t sample =
          static_cast<std::size_t>(py * Canvas::kSamples) * kColumns + static_cast<std::size_t>(px * Canvas::kSamples);
      // Paint is pushed to the rim and furrowed by the hairs.
      const float height =
          half * (0.35f + 0.32f * across * across + 0.30f * bristle + 0.16f * fine) * (0.7f + 0.6f * smoothstep(0.5f, 0.0f, t));
      heights_[sample] = mix(heights_[sample], 0.45f * heights_[sample] + height, alpha);
      return Canvas::Paint{mix(first, second, clamp01(0.5f + 1.1f * bristle)) * (1.0f + 0.14f * fine), alpha};
    });
  }

  // Light from the upper left over the relief.
  Image finish() {
    colours_.paint(0, 0, kWidth, kHeight, [this, wet = colours_](float x, float y) {
      const int column = static_cast<int>(x * Canvas::kSamples);
      const int row = static_cast<int>(y * Canvas::kSamples);
      const float slope_x = height(column + 2, row) - height(column - 2, row);
      const float slope_y = height(column, row + 2) - height(column, row - 2);
      const float light = std::clamp(-(slope_x + 1.3f * slope_y) * 0.085f, -0.24f, 0.30f);
      const Colour paint = wet.at(x, y);
      const float gloss = 0.5f * std::max(0.0f, light - 0.10f);
      return Canvas::Paint{paint * (1.0f + light) + Colour{gloss, gloss, gloss}};
    });
    return colours_.finish();
  }

 private:
  static constexpr int kColumns = kWidth * Canvas::kSamples;
  static constexpr int kRows = kHeight * Canvas::kSamples;

  float height(int column, int row) const {
    return heights_[static_cast<std::size_t>(std::clamp(row, 0, kRows - 1)) * kColumns + std::clamp(column, 0, kColumns - 1)];
  }

  Canvas colours_;
  std::vector<float> heights_;
};

}  // namespace

Image draw_painting() {
  Surface surface;
  Random random(77);
  constexpr std::array<Layer, 4> layers = {
      {{1300, 9.0f, 74.0f, 1.0f}, {2300, 5.6f, 52.0f, 1.0f}, {3000, 3.6f, 36.0f, 0.96f}, {1500, 2.4f, 24.0f, 0.96f}}};
  for (const Layer& layer : layers) {
    for (int i = 0; i < layer.strokes; ++i) {
      surface.stroke(random.between(-40.0f, kWidth + 10.0f), random.between(-10.0f, kHeight + 30.0f), layer, random);
    }
  }
  // The lights last, with a loaded brush.
  for (const Lamp& lamp : kLamps) {
    for (int i = 0; i < 46; ++i) {
      const float angle = random.between(0.0f, 6.2831853f);
      const float d = lamp.radius * 2.1f * std::sqrt(random.between(0.0f, 1.0f));
      surface.stroke(lamp.x + d * std::cos(angle), lamp.y + d * std::sin(angle), {1, 3.4f, 10.0f + 1.1f * d, 1.0f}, random);
    }
  }
  return surface.finish();
}

}  // namespace impasto::samples
