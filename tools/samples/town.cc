// The content picture. Drawn from back to front; everything above the waterline is then mirrored in the river.
#include "tools/samples/town.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/samples/pictures.h"

namespace impasto::samples {

namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 480;
constexpr Point kSun = {118.0f, 196.0f};

using Paint = Canvas::Paint;

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
