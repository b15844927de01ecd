// The CUDA backend inside another program: no module is looked for; where there is no device, the machine's own reason is given and the CPU
// computes.
#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include "impasto/error.h"
#include "impasto/session.h"

int main() {
  try {
    const std::string cuda = impasto::devices().at(1);
    std::printf("%s\n", cuda.c_str());
    const bool has_device = cuda.starts_with("cuda:0: ");
    if (!has_device && !cuda.starts_with("cuda: none: this machine has no ") && !cuda.starts_with("cuda: none: the NVIDIA driver "))
      return 1;

    impasto::Session session = impasto::Session::untrained();
    std::printf("%s\n", session.device_description().c_str());
    if (has_device != (session.device() == impasto::Device::kCuda)) return 1;
    impasto::Image content{32, 24, {}};
    for (int i = 0; i < 3 * 32 * 24; ++i) content.pixels.push_back(0.5f + 0.5f * std::sin(0.7f * static_cast<float>(i)));
    const impasto::Image style{24, 32, {content.pixels.rbegin(), content.pixels.rend()}};
    impasto::StyleOptions options;
    options.iterations = 2;
    const impasto::Result result = session.stylize(content, std::span(&style, 1), options);
    return result.evaluations.size() == 2 && std::isfinite(result.evaluations[1].losses.total) ? 0 : 1;
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
