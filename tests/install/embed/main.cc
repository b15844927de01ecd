// Impasto inside another program: pixels in, pixels out.
#include <cmath>
#include <cstdio>

#include "impasto/error.h"
#include "impasto/session.h"

// A picture of diagonal stripes; a real program brings its own pixels: RGB, 0..1, row by row.
static impasto::Image stripes(int width, int height, float step_x, float step_y) {
  impasto::Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) image.pixels.push_back(0.5f + 0.5f * std::sin(step_x * x + step_y * y + channel));
    }
  }
  return image;
}

int main(int argc, char** argv) {
  try {
    // Random filters when no weight file is named: enough to try things out.
    impasto::Session session = argc > 1 ? impasto::Session(argv[1]) : impasto::Session::untrained();
    const impasto::Image content = stripes(64, 48, 0.1f, 0.3f);
    const impasto::Image styles[] = {stripes(48, 64, 0.9f, -0.4f)};

    impasto::StyleOptions options;
    options.iterations = 20;
    const impasto::Result result = session.stylize(content, styles, options, [](const impasto::Progress& progress) {
      std::printf("%d of %d: loss %g\n", progress.evaluation.index, progress.iterations, progress.evaluation.losses.total);
      return progress.evaluation.index < 5;  // enough: false stops, and the best picture so far is returned
    });
    std::printf("stopped by: %s\n", impasto::to_string(result.stop_reason).c_str());

    // One evaluation by itself, for those who bring their own optimiser.
    const impasto::PixelGradient there = session.evaluate(result.image, content, styles, options);
    double norm = 0;
    for (double element : there.gradient) norm += element * element;
    std::printf("loss %g, gradient norm %g, on %s\n", there.losses.total, std::sqrt(norm), session.device_description().c_str());
    return std::isfinite(there.losses.total) && std::isfinite(norm) && there.losses.total <= result.evaluations[0].losses.total ? 0 : 1;
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
