// Draws the sample pair. usage: impasto-draw-samples DIRECTORY     writes DIRECTORY/content.jpg and DIRECTORY/style.jpg
#include <cstdio>
#include <exception>
#include <string>

#include "impasto/image_io.h"
#include "tools/samples/pictures.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: impasto-draw-samples DIRECTORY\n");
    return 2;
  }
  try {
    const std::string directory = argv[1];
    impasto::WriteOptions options;
    options.quality = 90;  // 142 and 186 kB; as PNG the pair takes 470 and 640 kB
    options.metadata = {{"Software", "impasto-draw-samples"}};
    impasto::write_picture(directory + "/content.jpg", {impasto::samples::draw_town(), {}}, options);
    impasto::write_picture(directory + "/style.jpg", {impasto::samples::draw_painting(), {}}, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "impasto-draw-samples: %s\n", error.what());
    return 1;
  }
  return 0;
}
