// The buildings of the content picture.
#include <algorithm>
#include <array>
#include <cmath>

#include "tools/samples/town.h"

namespace impasto::samples {

namespace {

using Paint = Canvas::Paint;

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

}  // namespace

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

}  // namespace impasto::samples
