// Writes a picture file and reads it back.
#include <cmath>
#include <cstdio>

#include "impasto/error.h"
#include "impasto/image_io.h"

int main() {
  try {
    impasto::Picture picture;
    picture.image = {2, 2, {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}};
    impasto::write_picture("four.png", picture);
    const impasto::Image back = impasto::read_picture("four.png").image;
    if (back.width != 2 || back.height != 2) return 1;
    for (std::size_t i = 0; i < back.pixels.size(); ++i) {
      if (std::abs(back.pixels[i] - picture.image.pixels[i]) > 1e-3f) return 1;
    }
    return 0;
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
