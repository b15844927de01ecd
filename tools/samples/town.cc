// The content picture. Drawn from back to front; everything above the waterline is then mirrored in the river.
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
constexpr float kQuay = 306.0f;       // foot of the houses
constexpr float kWaterline = 332.0f;  // foot of the quay wall
constexpr Point kSun = {118.0f, 196.0f};

constexpr Colour kShade = {0.16f, 0.17f, 0.30f};
constexpr Colour kLight = {1.0f, 0.80f, 0.52f};

using Paint = Canvas::Paint;

// Light from the left: `facing` is 1 on a surface turned to the sun, 0 on one turned away.
Colour lit(Colour surface, float facing) {
  const Colour light = mix(kShade, kLight, 0.35f + 0.65f * facing);
  return {surface.r * light.r * 1.15f, surface.g * light.g * 1.15f, surface.b * light.b * 1.15f};
}

void draw_sky(Canvas& canvas) {
  canvas.paint(0, 0, kWidth, kWaterline, [](float x, float y) {
    const float t = y / 270.0f;
    Colour sky = mix(Colour{0.20f, 0.37f, 0.66f}, Colour{0.62f, 0.72f, 0.82f}, smoothstep(0.0f, 0.62f, t));
    sky = mix(sky, Colour{0.98f, 0.80f, 0.56f}, smoothstep(0.45f, 1.0f, t));
    const float distance = std::hypot(x - kSun.x, y - kSun.y);
    sky = mix(sky, Colour{1.0f, 0.90f, 0.66f}, 0.85f * std::exp(-distance / 70.0f));
    sky = mix(sky, Colour{1.0f, 0.98f, 0.88f}, 1.0f - smoothstep(15.0f, 18.0f, distance));
    // Clouds: flat, wider near the top of the sky, their undersides lit by the low sun.
    const float scale = 0.4f + 0.9f * t;
    const float u = x / 105.0f * scale + 3.0f;
    const float v = y / 34.0f * scale;
    const float density = fractal_noise(u, v, 5, 11);
    const float below = fractal_noise(u - 0.12f, v + 0.30f, 5, 11);
    const float cover = smoothstep(0.02f, 0.30f, density) * (1.0f - smoothstep(0.75f, 1.0f, t));
    const Colour cloud = mix(Colour{0.66f, 0.62f, 0.68f}, Colour{1.0f, 0.93f, 0.84f}, smoothstep(-0.25f, 0.30f, density - below + 0.06f));
    return Paint{mix(sky, cloud, 0.85f * cover)};
  });
}

void draw_hills(Canvas& canvas) {
  struct Hill {
    float top, swing, scale;
    Colour near, far;
    std::uint32_t seed;
  };
  const std::array<Hill, 3> hills = {{
      {216.0f, 34.0f, 170.0f, {0.52f, 0.58f, 0.66f}, {0.80f, 0.73f, 0.66f}, 21},
      {240.0f, 30.0f, 110.0f, {0.36f, 0.46f, 0.46f}, {0.62f, 0.61f, 0.53f}, 22},
      {264.0f, 22.0f, 80.0f, {0.22f, 0.34f, 0.22f}, {0.42f, 0.47f, 0.30f}, 23},
  }};
  for (const Hill& hill : hills) {
    canvas.paint(0, 150, kWidth, kWaterline, [&](float x, float y) {
      const float ridge =
          hill.top + hill.swing * fractal_noise(x / hill.scale, 0.5f, 3, hill.seed) + 1.6f * noise(x / 3.0f, 0.0f, hill.seed + 90);
      if (y < ridge) return Paint{{}, 0.0f};
      const float woods = fractal_noise(x / 9.0f, y / 5.0f, 3, hill.seed + 40);
      const float haze = std::exp(-std::abs(x - kSun.x) / 240.0f);
      return Paint{mix(hill.near, hill.far, clamp01(0.25f + 0.75f * haze)) * (1.0f + 0.22f * woods)};
    });
  }
}

// A crown of leaves: discs, those on the side of the sun lighter.
void draw_tree(Canvas& canvas, float x, float foot, float height, float spread, Colour leaf, Random& random) {
  const float crown = foot - 0.62f * height;
  canvas.paint(x - 6, crown, x + 6, foot, [&](float px, float py) {
    const float half = 1.6f + 2.2f * smoothstep(foot - 14.0f, foot, py);
    const float across = (px - x) / half;
    if (std::abs(across) > 1.0f) return Paint{{}, 0.0f};
    return Paint{lit({0.36f, 0.26f, 0.20f}, 0.5f - 0.5f * across) * (1.0f + 0.25f * noise(px / 1.5f, py / 6.0f, 61))};
  });
  const int leaves = static_cast<int>(height * spread / 3.2f);
  for (int i = 0; i < leaves; ++i) {
    // The first are the dark inside of the crown, the last its lit surface.
    const float depth = static_cast<float>(i) / leaves;
    const float angle = random.between(0.0f, 6.2831853f);
    const float radius = std::sqrt(random.between(0.0f, 1.0f)) * (0.86f + 0.20f * noise(angle * 1.7f, x, 62));
    const float cx = x + spread * radius * std::cos(angle);
    const float cy = crown + 0.40f * height * radius * std::sin(angle);
    const float facing =
        clamp01(0.5f - 0.42f * radius * std::cos(angle) - 0.38f * radius * std::sin(angle) + random.between(-0.22f, 0.22f));
    const float size = random.between(1.3f, 3.4f) * (1.25f - 0.5f * depth);
    const Colour tint = lit(leaf * random.between(0.75f, 1.2f), (0.25f + 0.75f * depth) * facing);
    canvas.paint(cx - size, cy - size, cx + size, cy + size, [&](float px, float py) {
      const float d = std::hypot(px - cx, (py - cy) * 1.25f) / size;
      return Paint{tint, d < 1.0f ? 0.92f : 0.0f};
    });
  }
}

struct House {
  float left, width, wall, roof;  // wall and roof: heights
  Colour plaster, tiles;
  int floors, windows;
  bool timber, gable;  // gable: its triangle faces the river, otherwise the roof's long side does
};

void draw_window(Canvas& canvas, float x, float y, float w, float h, Colour shutter, float glow) {
  canvas.paint(x - 0.62f * w, y - 1.5f, x + 1.62f * w, y + h + 3.0f, [&](float px, float py) {
    const float u = (px - x) / w;
    const float v = (py - y) / h;
    if (v > 1.0f) return Paint{lit({0.80f, 0.76f, 0.70f}, 0.8f), u > -0.2f && u < 1.2f && py < y + h + 1.8f ? 1.0f : 0.0f};
    if (v < 0.0f) return Paint{kShade, u > -0.1f && u < 1.1f ? 0.5f : 0.0f};
    if (u < 0.0f || u > 1.0f) {  // shutters, with slats
      const bool slat = std::fmod(py - y, 2.2f) < 0.7f;
      return Paint{lit(shutter, slat ? 0.25f : 0.75f), u > -0.5f && u < 1.5f ? 1.0f : 0.0f};
    }
    const bool frame = u < 0.10f || u > 0.90f || v < 0.07f || v > 0.93f || std::abs(u - 0.5f) < 0.05f || std::abs(v - 0.42f) < 0.035f;
    if (frame) return Paint{lit({0.92f, 0.90f, 0.84f}, 0.75f)};
    const Colour sky =
        mix(Colour{0.20f, 0.26f, 0.36f}, Colour{0.55f, 0.60f, 0.66f}, clamp01(0.7f - v + 0.4f * noise(px / 5.0f, py / 5.0f, 71)));
    return Paint{mix(sky, Colour{1.0f, 0.78f, 0.36f}, glow)};
  });
}

void draw_house(Canvas& canvas, const House& house, Random& random) {
  const float right = house.left + house.width;
  const float eaves = kQuay - house.wall;
  const float ridge = eaves - house.roof;
  const float middle = house.left + 0.5f * house.width;
  const std::uint32_t grain = static_cast<std::uint32_t>(random.index(1000));
  const float facing = random.between(0.62f, 0.85f);

  // Wall: plaster with stains, damp at the foot, dark under the eaves; beams where it is half-timbered.
  const auto wall = [&](float x, float y) {
    const float stain = fractal_noise(x / 16.0f, y / 22.0f, 4, grain);
    Colour surface = house.plaster * (1.0f + 0.16f * stain + 0.05f * noise(x / 1.2f, y / 1.2f, grain + 7));
    surface = mix(surface, Colour{0.42f, 0.40f, 0.36f}, 0.5f * smoothstep(kQuay - 14.0f, kQuay, y + 4.0f * stain));
    if (house.timber && y < kQuay - house.wall / house.floors) {
      const float storey = house.wall / house.floors;
      const float u = std::fmod(x - house.left, 15.0f);
      const float v = std::fmod(kQuay - y, storey);
      const float brace =
          std::abs(std::fmod((x - house.left) / 15.0f, 2.0f) < 1.0f ? u / 15.0f - v / storey : 1.0f - u / 15.0f - v / storey);
      if (u < 1.9f || v < 2.4f || brace < 0.07f) surface = Colour{0.30f, 0.19f, 0.13f} * (1.0f + 0.3f * noise(x, y / 4.0f, grain + 3));
    }
    const float overhang = house.gable ? 0.0f : 1.0f - smoothstep(eaves, eaves + 9.0f, y);
    return Paint{lit(surface, facing * (1.0f - 0.75f * overhang))};
  };
  canvas.paint(house.left, eaves, right, kQuay, wall);

  // Roof: rows of tiles, each a little different, moss near the eaves.
  const auto tile = [&](float x, float y, float slope) {
    const float row = std::floor((y - ridge) / 3.4f);
    const float shift = std::fmod(row, 2.0f) * 1.6f;
    const float column = std::floor((x + shift) / 3.2f);
    const float u = (x + shift) / 3.2f - column;
    const float v = (y - ridge) / 3.4f - row;
    Colour surface = house.tiles * (1.0f + 0.24f * noise(column * 1.37f, row * 1.91f, grain + 9));
    surface = surface * (1.0f - 0.35f * smoothstep(0.72f, 1.0f, v) - 0.15f * smoothstep(0.8f, 1.0f, u));
    surface = mix(surface, Colour{0.34f, 0.36f, 0.20f}, 0.6f * smoothstep(0.05f, 0.35f, fractal_noise(x / 14.0f, y / 9.0f, 3, grain + 5)));
    return lit(surface, slope);
  };
  if (house.gable) {
    canvas.paint(house.left - 4, ridge - 1, right + 4, eaves + 4, [&](float x, float y) {
      const float across = std::abs(x - middle) / (0.5f * house.width);
      const float edge = ridge + house.roof * across;
      if (y > edge + 3.5f) return y < eaves ? wall(x, y) : Paint{{}, 0.0f};
      if (y > edge - 1.0f && across < 1.08f) return Paint{lit(house.tiles * 0.8f, x < middle ? 0.95f : 0.30f)};
      return Paint{{}, 0.0f};
    });
    draw_window(canvas, middle - 3.5f, eaves - 0.42f * house.roof, 7.0f, 10.0f, {0.30f, 0.22f, 0.18f}, 0.0f);
  } else {
    canvas.paint(house.left - 4, ridge, right + 4, eaves + 3, [&](float x, float y) {
      const float t = (y - ridge) / (eaves + 3.0f - ridge);
      const float inset = mix(5.0f, -3.0f, t);
      if (x < house.left + inset || x > right - inset) return Paint{{}, 0.0f};
      return Paint{tile(x, y, y < ridge + 1.8f ? 1.0f : 0.78f)};
    });
    for (int i = 0; i < 2 && house.width > 54.0f; ++i) {  // dormers
      const float x = house.left + house.width * (0.3f + 0.4f * i);
      const float y = ridge + 0.42f * house.roof;
      canvas.paint(x - 9, y - 8, x + 9, y + 14, [&](float px, float py) {
        const float d = std::abs(px - x);
        if (py < y) return Paint{lit(house.tiles * 0.85f, px < x ? 0.95f : 0.35f), d < (py - y + 8.0f) * 1.15f ? 1.0f : 0.0f};
        return Paint{lit(house.plaster, 0.7f), d < 6.5f ? 1.0f : 0.0f};
      });
      draw_window(canvas, x - 3.2f, y + 2.0f, 6.4f, 8.5f, house.plaster, 0.0f);
    }
  }
  // Chimney, with its lit and its dark side.
  const float cx = house.left + house.width * random.between(0.62f, 0.8f);
  const float top = house.gable ? ridge + house.roof * (cx + 4.0f - middle) / (0.5f * house.width) - 21.0f : ridge - 9.0f;
  canvas.paint(cx - 4, top - 2, cx + 5, ridge + 0.55f * house.roof, [&](float x, float y) {
    if (house.gable && y > ridge + house.roof * std::abs(x - middle) / (0.5f * house.width)) return Paint{{}, 0.0f};
    if (!house.gable && y > ridge + 4.0f) return Paint{{}, 0.0f};
    if (y > top && std::abs(x - cx) > 3.2f) return Paint{{}, 0.0f};
    const bool joint = std::fmod(y - top, 2.4f) < 0.5f;
    return Paint{lit(Colour{0.62f, 0.36f, 0.28f} * (joint ? 0.75f : 1.0f), x < cx + 0.8f ? 0.9f : 0.2f)};
  });

  const Colour shutter = std::array<Colour, 4>{{{0.20f, 0.40f, 0.34f},
                                                {0.46f, 0.22f, 0.18f},
                                                {0.24f, 0.32f, 0.50f},
                                                {0.44f, 0.40f, 0.30f}}}[static_cast<std::size_t>(random.index(4))];
  const float storey = house.wall / house.floors;
  const float bay = house.width / house.windows;
  const int door = random.index(house.windows);
  for (int floor = 0; floor < house.floors; ++floor) {
    for (int column = 0; column < house.windows; ++column) {
      const float x = house.left + (column + 0.5f) * bay;
      const float y = kQuay - (floor + 1) * storey + 0.26f * storey;
      if (floor == 0 && column == door) {
        canvas.paint(x - 6, kQuay - 20, x + 6, kQuay, [&](float px, float py) {
          const float arch = std::hypot(px - x, py - (kQuay - 14.0f));
          const bool open = std::abs(px - x) < 4.8f && (py > kQuay - 14.0f || arch < 4.8f);
          const bool stone = std::abs(px - x) < 6.0f && (py > kQuay - 14.0f || arch < 6.0f);
          if (open) return Paint{lit(Colour{0.34f, 0.20f, 0.13f} * (std::fmod(px - x + 20.0f, 2.4f) < 0.5f ? 0.6f : 1.0f), 0.5f)};
          return Paint{lit({0.74f, 0.69f, 0.60f}, 0.8f), stone ? 1.0f : 0.0f};
        });
        continue;
      }
      draw_window(canvas, x - 3.8f, y, 7.6f, std::min(13.0f, 0.54f * storey), shutter, random.index(7) == 0 ? 0.8f : 0.0f);
    }
  }
  // What the house throws on its neighbour to the right: a soft shadow.
  canvas.paint(right, eaves, right + 9, kQuay, [&](float x, float y) {
    const float reach = 9.0f * clamp01((y - eaves) / 24.0f);
    return Paint{kShade, x - right < reach ? 0.42f * (1.0f - (x - right) / 12.0f) : 0.0f};
  });
}

void draw_church(Canvas& canvas) {
  constexpr float kCentre = 402.0f;
  constexpr float kHalf = 19.0f;
  constexpr float kTop = 118.0f;
  constexpr float kSpire = 34.0f;
  canvas.paint(kCentre - kHalf, kTop, kCentre + kHalf, kQuay, [](float x, float y) {
    const float across = (x - kCentre) / kHalf;
    const float row = std::floor(y / 4.2f);
    const float column = std::floor((x + std::fmod(row, 2.0f) * 4.0f) / 8.0f);
    const bool joint = std::fmod(y, 4.2f) < 0.6f || std::fmod(x + std::fmod(row, 2.0f) * 4.0f, 8.0f) < 0.6f;
    Colour stone = Colour{0.82f, 0.74f, 0.62f} *
                   (1.0f + 0.13f * noise(column * 1.7f, row * 1.3f, 81) + 0.08f * fractal_noise(x / 9.0f, y / 30.0f, 3, 82));
    if (joint) stone = stone * 0.82f;
    if (std::abs(y - 176.0f) < 2.2f || std::abs(y - 124.0f) < 2.6f || std::abs(y - 236.0f) < 2.0f) stone = Colour{0.92f, 0.86f, 0.76f};
    return Paint{
        lit(stone, std::abs(across) > 0.84f ? 0.95f - 0.45f * (across > 0 ? 1.0f : 0.0f) : 0.86f - 0.42f * clamp01(0.5f + 0.6f * across))};
  });
  // Belfry openings, a clock, a slit window.
  for (const float offset : {-8.0f, 8.0f}) {
    canvas.paint(kCentre + offset - 5, 132, kCentre + offset + 5, 168, [offset](float x, float y) {
      const float d = std::abs(x - kCentre - offset);
      const bool open = d < 4.2f && (y > 140.0f || std::hypot(d, y - 140.0f) < 4.2f);
      const bool louvre = std::fmod(y, 4.0f) < 1.5f;
      return Paint{louvre ? Colour{0.40f, 0.32f, 0.27f} : Colour{0.13f, 0.12f, 0.17f}, open ? 1.0f : 0.0f};
    });
  }
  canvas.paint(kCentre - 13, 180, kCentre + 13, 206, [](float x, float y) {
    const float dx = x - kCentre;
    const float dy = y - 193.0f;
    const float d = std::hypot(dx, dy);
    if (d > 12.0f) return Paint{{}, 0.0f};
    if (d > 10.2f) return Paint{{0.80f, 0.62f, 0.25f}};
    const float hour = std::abs(std::remainder(std::atan2(dy, dx), 0.5235988f)) * d;
    const bool mark = d > 8.0f && hour < 0.5f;
    const bool hand =
        (std::abs(dx + 0.35f * dy) < 0.8f && dy < 0.0f && d < 8.0f) || (std::abs(dy - 0.25f * dx) < 0.9f && dx > 0.0f && d < 5.5f);
    return Paint{mark || hand ? Colour{0.75f, 0.58f, 0.22f} : Colour{0.15f, 0.19f, 0.32f}};
  });
  canvas.paint(kCentre - 4, 246, kCentre + 4, 272, [](float x, float y) {
    const float d = std::abs(x - kCentre);
    return Paint{{0.14f, 0.14f, 0.20f}, d < 3.0f && (y > 250.0f || std::hypot(d, y - 250.0f) < 3.0f) ? 1.0f : 0.0f};
  });
  // Spire of slate, eight-sided: four faces are seen.
  canvas.paint(kCentre - kHalf - 4, kSpire, kCentre + kHalf + 4, kTop + 3, [](float x, float y) {
    const float t = (y - kSpire) / (kTop + 3.0f - kSpire);
    const float half = (kHalf + 3.0f) * (0.80f * t + 0.20f * t * t * t);
    const float across = (x - kCentre) / std::max(half, 0.1f);
    if (std::abs(across) > 1.0f) return Paint{{}, 0.0f};
    const float face = across < -0.55f ? 0.95f : across < 0.0f ? 0.75f : across < 0.55f ? 0.42f : 0.15f;
    const float row = std::floor(y / 3.0f);
    const Colour slate = Colour{0.36f, 0.44f, 0.52f} * (1.0f + 0.16f * noise(std::floor(x / 2.6f) * 1.3f, row * 1.7f, 85)) *
                         (std::fmod(y, 3.0f) < 0.7f ? 0.78f : 1.0f);
    return Paint{lit(slate, face)};
  });
  canvas.paint(kCentre - 6, kSpire - 17, kCentre + 6, kSpire + 2, [](float x, float y) {
    const float dx = std::abs(x - kCentre);
    const bool cross = dx < 0.8f || (std::abs(y - kSpire + 12.0f) < 0.8f && dx < 3.6f);
    const bool ball = std::hypot(dx, y - kSpire + 3.0f) < 2.3f;
    return Paint{{0.86f, 0.66f, 0.28f}, cross || ball ? 1.0f : 0.0f};
  });
  // The nave, behind the houses.
  canvas.paint(kCentre + kHalf, 206, 500, kQuay, [](float x, float y) {
    const float end = 496.0f - 14.0f * clamp01((246.0f - y) / 40.0f);
    if (x > end) return Paint{{}, 0.0f};
    if (y > 246.0f) return Paint{lit(Colour{0.80f, 0.72f, 0.60f} * (1.0f + 0.1f * fractal_noise(x / 6.0f, y / 6.0f, 3, 88)), 0.6f)};
    const float row = std::floor(y / 3.2f);
    return Paint{lit(Colour{0.50f, 0.30f, 0.24f} * (1.0f + 0.2f * noise(std::floor(x / 3.0f) * 1.9f, row * 1.3f, 87)) *
                         (std::fmod(y, 3.2f) < 0.7f ? 0.8f : 1.0f),
                     0.7f)};
  });
}

void draw_town_houses(Canvas& canvas) {
  Random random(5);
  const Colour tiles = {0.72f, 0.34f, 0.22f};
  const Colour brown = {0.50f, 0.31f, 0.24f};
  const Colour slate = {0.38f, 0.40f, 0.46f};
  const std::array<House, 10> houses = {{
      {-14, 62, 66, 34, {0.90f, 0.84f, 0.68f}, tiles, 2, 3, false, false},
      {48, 44, 84, 36, {0.86f, 0.62f, 0.44f}, brown, 3, 2, false, true},
      {92, 58, 72, 38, {0.95f, 0.92f, 0.84f}, tiles, 3, 3, true, true},
      {150, 66, 60, 40, {0.66f, 0.72f, 0.78f}, slate, 2, 4, false, false},
      {216, 48, 92, 40, {0.95f, 0.78f, 0.42f}, brown, 3, 3, false, true},
      {264, 54, 76, 34, {0.82f, 0.46f, 0.38f}, slate, 3, 3, false, false},
      {318, 60, 64, 44, {0.94f, 0.90f, 0.80f}, tiles, 2, 3, true, true},
      {428, 58, 74, 34, {0.74f, 0.80f, 0.66f}, tiles, 3, 3, false, false},
      {486, 46, 90, 38, {0.92f, 0.70f, 0.56f}, brown, 3, 2, false, true},
      {532, 62, 62, 36, {0.90f, 0.86f, 0.74f}, tiles, 2, 3, true, false},
  }};
  for (const House& house : houses) draw_house(canvas, house, random);
}

void draw_quay(Canvas& canvas) {
  canvas.paint(0, kQuay - 1, kWidth, kWaterline, [](float x, float y) {
    if (y < kQuay + 3.0f) return Paint{lit(Colour{0.78f, 0.72f, 0.62f} * (1.0f + 0.15f * noise(x / 3.0f, y, 101)), 0.9f)};
    const float row = std::floor((y - kQuay) / 5.2f);
    const float shift = 5.3f * noise(row * 3.1f, 0.5f, 102) + std::fmod(row, 2.0f) * 5.5f;
    const float column = std::floor((x + shift) / 11.0f);
    const bool joint = std::fmod(y - kQuay, 5.2f) < 0.7f || (x + shift) / 11.0f - column < 0.07f;
    Colour stone = mix(Colour{0.60f, 0.54f, 0.46f}, Colour{0.46f, 0.47f, 0.48f}, 0.5f + 0.5f * noise(column * 2.3f, row * 1.9f, 103));
    stone = stone * (joint ? 0.60f : 1.0f + 0.18f * fractal_noise(x / 2.5f, y / 2.5f, 3, 104));
    stone =
        mix(stone, Colour{0.24f, 0.30f, 0.18f}, 0.8f * smoothstep(kWaterline - 9.0f, kWaterline, y + 3.0f * noise(x / 6.0f, 0.0f, 105)));
    return Paint{lit(stone, 0.55f)};
  });
}

void draw_river(Canvas& canvas) {
  const Canvas above = canvas;
  canvas.paint(0, kWaterline, kWidth, kHeight, [&](float x, float y) {
    const float depth = (y - kWaterline) / (kHeight - kWaterline);
    // Waves look longer and farther apart the nearer they are.
    const float stretch = 1.0f / (0.10f + 0.55f * depth);
    const float wave = fractal_noise(x / 34.0f * stretch * 0.4f, depth * 60.0f * (0.35f + 0.3f * stretch * 0.2f), 3, 111);
    const float slope = fractal_noise(x / 12.0f * stretch * 0.35f + 40.0f, depth * 95.0f * 0.5f, 3, 112);
    Colour mirror =
        above.at(x + (3.0f + 16.0f * depth) * wave, 2.0f * kWaterline - y * 1.0f - (2.0f + 26.0f * depth) * slope - 40.0f * depth * depth);
    const Colour deep = mix(Colour{0.16f, 0.26f, 0.30f}, Colour{0.08f, 0.15f, 0.21f}, depth);
    Colour water = mix(mirror * 0.88f, deep, clamp01(0.20f + 0.28f * depth + 0.55f * std::max(0.0f, slope)));
    // The sun's path on the water.
    const float path = std::exp(-std::pow((x - kSun.x - 24.0f * depth) / (16.0f + 60.0f * depth), 2.0f));
    water = mix(water, Colour{1.0f, 0.86f, 0.58f}, 0.85f * path * smoothstep(0.06f, 0.34f, -slope + 0.15f * wave));
    water = mix(water, Colour{0.10f, 0.12f, 0.14f}, 0.5f * (1.0f - smoothstep(0.0f, 0.03f, depth)));
    return Paint{water};
  });
}

// A sailing boat with its foot at (x, y); flip < 0 draws the reflection.
void draw_boat(Canvas& canvas, float x, float y, float size, float flip) {
  const auto shader = [&](float px, float py) -> Paint {
    float u = (px - x) / size;
    float v = (y - py) / size * flip;
    if (flip < 0.0f) {
      u += 0.06f * fractal_noise(px / 14.0f, py / 2.6f, 3, 121);
      v *= 1.12f;
    }
    const float alpha = flip < 0.0f ? 0.62f * clamp01(1.25f - 0.55f * v) : 1.0f;
    const float dim = flip < 0.0f ? 0.72f : 1.0f;
    if (v < 0.0f) return {{}, 0.0f};
    // Hull: sheer line curved, stem raked, two planks and a stripe.
    const float sheer = 0.26f + 0.10f * u * u;
    const float half = 0.92f + 0.30f * v;
    if (v < sheer && std::abs(u) < half * (0.80f + 0.20f * smoothstep(0.0f, 0.12f, v))) {
      Colour hull = v > sheer - 0.05f   ? Colour{0.86f, 0.80f, 0.66f}
                    : v > sheer - 0.13f ? Colour{0.66f, 0.16f, 0.14f}
                                        : Colour{0.20f, 0.28f, 0.36f};
      if (std::fmod(v, 0.07f) < 0.012f) hull = hull * 0.75f;
      return {lit(hull, 0.85f - 0.45f * clamp01(0.5f + 0.5f * u)) * dim, alpha};
    }
    if (std::abs(u - 0.05f) < 0.022f && v < 2.35f) return {lit({0.44f, 0.30f, 0.20f}, u < 0.05f ? 0.9f : 0.3f) * dim, alpha};
    // Main sail behind the mast, jib before it; both bellied, with seams.
    const float t = (v - 0.50f) / 1.78f;
    if (t > 0.0f && t < 1.0f) {
      const float leech = 0.08f + 0.98f * (1.0f - t) + 0.10f * std::sin(3.14159f * t);
      if (u > 0.08f && u < leech) {
        const float s = (u - 0.08f) / (leech - 0.08f);
        const float seam = std::fmod(v + 0.12f * u, 0.26f) < 0.014f ? 0.85f : 1.0f;
        return {lit(Colour{0.96f, 0.90f, 0.78f} * seam, 0.95f - 0.55f * s) * dim, alpha};
      }
      const float luff = 0.02f - 0.80f * (1.0f - t) - 0.06f * std::sin(3.14159f * t);
      if (t < 0.88f && u < 0.02f && u > luff) {
        const float seam = std::fmod(v - 0.2f * u, 0.30f) < 0.014f ? 0.85f : 1.0f;
        return {lit(Colour{0.80f, 0.34f, 0.24f} * seam, 0.55f + 0.45f * (u - luff) / (0.02f - luff)) * dim, alpha};
      }
    }
    return {{}, 0.0f};
  };
  canvas.paint(x - 1.5f * size, flip > 0.0f ? y - 2.5f * size : y, x + 1.5f * size, flip > 0.0f ? y : y + 2.3f * size, shader);
}

// The near bank: grass blades and reeds, dark against the water, tips in the light.
void draw_bank(Canvas& canvas) {
  Random random(9);
  const auto bank = [](float x) { return 479.0f - 56.0f * smoothstep(330.0f, 660.0f, x) - 5.0f * noise(x / 22.0f, 0.0f, 131); };
  canvas.paint(0, 400, kWidth, kHeight, [&](float x, float y) {
    const Colour soil = Colour{0.20f, 0.25f, 0.11f} * (1.0f + 0.5f * fractal_noise(x / 7.0f, y / 5.0f, 4, 132));
    return Paint{soil, y > bank(x) && x > 330.0f ? 1.0f : 0.0f};
  });
  for (int i = 0; i < 2600; ++i) {
    const float x = random.between(340.0f, 650.0f);
    const float foot = random.between(bank(x) - 1.0f, bank(x) + 60.0f);
    const bool reed = random.index(16) == 0;
    const float length = reed ? random.between(34.0f, 66.0f) : random.between(8.0f, 20.0f);
    const float lean = random.between(-0.34f, 0.30f);
    const Colour base = mix(Colour{0.14f, 0.22f, 0.08f}, Colour{0.30f, 0.36f, 0.12f}, random.between(0.0f, 1.0f));
    const Colour tip = mix(Colour{0.56f, 0.60f, 0.22f}, Colour{0.86f, 0.74f, 0.36f}, random.between(0.0f, 1.0f));
    const float left = x + std::min(0.0f, lean * length) - 3.0f;
    canvas.paint(left, foot - length, left + std::abs(lean) * length + 6.0f, foot, [&](float px, float py) {
      const float t = (foot - py) / length;
      const float spine = x + lean * length * t * t;
      const float half = reed && t > 0.78f && t < 0.95f ? 1.9f : (reed ? 0.75f : 0.95f) * (1.0f - t);
      if (std::abs(px - spine) > half) return Paint{{}, 0.0f};
      const Colour blade = reed && t > 0.78f && t < 0.95f ? Colour{0.34f, 0.20f, 0.11f} : mix(base, tip, t);
      return Paint{blade * (px < spine ? 1.15f : 0.85f)};
    });
  }
}

// Gulls over the river and leaves of a branch that hangs into the picture.
void draw_near_things(Canvas& canvas) {
  const std::array<std::array<float, 3>, 5> gulls = {{{250, 92, 9}, {276, 108, 7}, {228, 120, 6}, {300, 84, 5.5f}, {520, 140, 6}}};
  for (const auto& [x, y, size] : gulls) {
    canvas.paint(x - size, y - size, x + size, y + size, [&, x = x, y = y, size = size](float px, float py) {
      const float u = std::abs(px - x) / size;
      const float wing = y - size * 0.55f * std::sin(2.4f * u) + size * 0.25f * u * u;
      return Paint{{0.22f, 0.24f, 0.30f}, u < 1.0f && std::abs(py - wing) < 0.13f * size * (1.15f - u) ? 1.0f : 0.0f};
    });
  }
  Random random(14);
  for (int twig = 0; twig < 13; ++twig) {
    const float x0 = random.between(470.0f, 650.0f);
    const float length = random.between(30.0f, 112.0f) * (0.45f + 0.55f * (x0 - 470.0f) / 180.0f);
    const float drift = random.between(-26.0f, 4.0f);
    const int leaves = static_cast<int>(length * 0.9f);
    canvas.paint(x0 + drift - 4, 0, x0 + 6, length, [&](float px, float py) {
      const float t = py / length;
      return Paint{{0.20f, 0.15f, 0.10f}, std::abs(px - x0 - drift * t * t) < 0.9f * (1.0f - 0.7f * t) ? 1.0f : 0.0f};
    });
    for (int i = 0; i < leaves; ++i) {
      const float t = random.between(0.02f, 1.0f);
      const float cx = x0 + drift * t * t + random.between(-7.0f, 7.0f);
      const float cy = length * t + random.between(-3.0f, 4.0f);
      const float angle = random.between(0.9f, 2.2f);
      const float size = random.between(4.0f, 7.5f);
      const Colour leaf =
          mix(Colour{0.13f, 0.23f, 0.08f}, Colour{0.58f, 0.60f, 0.18f}, random.between(0.0f, 1.0f) * random.between(0.4f, 1.0f));
      canvas.paint(cx - size, cy - size, cx + size, cy + size, [&](float px, float py) {
        const float along = ((px - cx) * std::cos(angle) + (py - cy) * std::sin(angle)) / size;
        const float across = (-(px - cx) * std::sin(angle) + (py - cy) * std::cos(angle)) / (0.27f * size);
        if (std::abs(along) > 1.0f || std::abs(across) > 1.0f - along * along) return Paint{{}, 0.0f};
        return Paint{leaf * (across < 0.0f ? 1.2f : 0.85f)};
      });
    }
  }
}

// What a lens adds: a little darkness to the corners and fine grain.
void develop(Canvas& canvas) {
  const Canvas scene = canvas;
  canvas.paint(0, 0, kWidth, kHeight, [&](float x, float y) {
    const float dx = (x - kWidth / 2.0f) / (kWidth / 2.0f);
    const float dy = (y - kHeight / 2.0f) / (kHeight / 2.0f);
    const float grain = 0.008f * noise(std::floor(x) * 1.618f, std::floor(y) * 1.414f, 141);
    return Paint{scene.at(x, y) * (1.0f - 0.10f * (dx * dx + dy * dy) * (dx * dx + dy * dy) / 2.0f) + Colour{grain, grain, grain}};
  });
}

}  // namespace

Image draw_town() {
  Canvas canvas(kWidth, kHeight);
  draw_sky(canvas);
  draw_hills(canvas);
  draw_church(canvas);
  Random random(3);
  for (int i = 0; i < 7; ++i) {  // behind the houses
    if (i == 4) continue;        // where the church stands
    draw_tree(canvas, 40.0f + 92.0f * i + random.between(-14.0f, 14.0f), kQuay - 30.0f, random.between(70.0f, 92.0f),
              random.between(22.0f, 30.0f), {0.38f, 0.46f, 0.20f}, random);
  }
  draw_town_houses(canvas);
  for (const float x : {30.0f, 205.0f, 398.0f, 606.0f}) {  // along the quay
    draw_tree(canvas, x, kQuay + 1.0f, x == 606.0f ? 120.0f : random.between(56.0f, 74.0f),
              x == 606.0f ? 34.0f : random.between(15.0f, 20.0f), {0.52f, 0.56f, 0.22f}, random);
  }
  draw_quay(canvas);
  draw_river(canvas);
  draw_boat(canvas, 214.0f, 408.0f, 32.0f, -1.0f);
  draw_boat(canvas, 214.0f, 408.0f, 32.0f, 1.0f);
  draw_boat(canvas, 452.0f, 352.0f, 11.0f, -1.0f);
  draw_boat(canvas, 452.0f, 352.0f, 11.0f, 1.0f);
  draw_bank(canvas);
  draw_near_things(canvas);
  develop(canvas);
  return canvas.finish();
}

}  // namespace impasto::samples
