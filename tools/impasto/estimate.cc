#include "tools/impasto/estimate.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "tools/impasto/failure.h"
#include "tools/impasto/memory.h"
#include "tools/impasto/progress.h"

namespace impasto::command {

namespace {

// Style targets take one forward pass and no gradient: a third of an evaluation's multiplications, more of its memory traffic.
constexpr double kForwardShare = 0.4;
// A trial shorter than this is dominated by what does not grow with the picture: try a larger one.
constexpr double kShortTrial = 0.1;
constexpr Size kTrialSizes[] = {{64, 48}, {256, 192}};

std::int64_t pixels(Size size) { return std::int64_t{size.width} * size.height; }

// A picture with some structure; its content does not matter to the time.
Image trial_picture(Size size) {
  Image image{size.width, size.height, std::vector<float>(static_cast<std::size_t>(pixels(size)) * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<float>((i * 7919) % 256) / 255.0f;
  return image;
}

struct Trial {
  Size size;
  double seconds = 0;
};

Trial measure(Session& session, const Settings& settings, Size content) {
  StyleOptions options = settings.style;
  options.init = Init::kContent;
  options.iterations = 3;
  options.style_blend.clear();
  Trial trial;
  for (const Size size : kTrialSizes) {
    if (trial.size.width > 0 && (trial.seconds > kShortTrial || pixels(size) > pixels(content))) break;
    const Image picture = trial_picture(size);
    const Result result = session.stylize(picture, std::span(&picture, 1), options);
    trial = {size, result.evaluations.front().seconds};
    for (const Evaluation& evaluation : result.evaluations) trial.seconds = std::min(trial.seconds, evaluation.seconds);
  }
  return trial;
}

std::int64_t total(const std::vector<MemoryUse>& uses) {
  std::int64_t sum = 0;
  for (const MemoryUse& use : uses) sum += use.bytes;
  return sum;
}

Image size_only(Size size) { return {size.width, size.height, {}}; }

std::string size_text(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

}  // namespace

std::vector<MemoryUse> memory_needed(const Session& session, const Settings& settings, const Inputs& inputs) {
  std::vector<Image> styles;
  // The content, and the picture that comes out.
  std::int64_t resized = 2 * pixels(inputs.content.working);
  for (const InputFile& style : inputs.styles) {
    styles.push_back(size_only(style.working));
    resized += pixels(style.working);
  }
  if (inputs.init) resized += pixels(inputs.init->working);
  constexpr std::int64_t kBytesPerPixel = 3 * sizeof(float);
  std::vector<MemoryUse> uses = session.memory_plan(size_only(inputs.content.working), styles, settings.style);
  uses.push_back({"pictures at their working size", resized * kBytesPerPixel});
  return uses;
}

void check_memory(const std::vector<MemoryUse>& uses) {
  const std::int64_t needed = total(uses);
  const std::int64_t available = available_memory_bytes();
  if (available < 0 || needed <= available) return;
  throw Failure(kOutOfMemory, "the run needs " + bytes_text(needed) + " of memory and " + bytes_text(available) +
                                  " are available; a smaller --size or --history needs less (--dry-run shows what takes how much)");
}

std::string dry_run_text(Session& session, const Settings& settings, const Inputs& inputs) {
  std::string text = settings_text(settings, inputs);
  text += "content: " + inputs.content.path + " " + size_text(inputs.content.original) + " -> " + size_text(inputs.content.working) + "\n";
  for (const InputFile& style : inputs.styles) {
    text += "style: " + style.path + " " + size_text(style.original) + " -> " + size_text(style.working) + "\n";
  }
  text += "output: " + (settings.output.empty() ? "none" : settings.output) + "\n";
  text += "weights: " + (inputs.weights_path.empty() ? "untrained" : inputs.weights_path) + "\n";
  text += "device in use: " + inputs.device + "\n";

  std::vector<MemoryUse> uses = memory_needed(session, settings, inputs);
  const std::int64_t held = resident_memory_bytes();
  if (held >= 0) uses.push_back({"program, network weights, pictures as decoded", held});
  text += "memory:\n";
  for (const MemoryUse& use : uses) text += "  " + use.purpose + ": " + bytes_text(use.bytes) + "\n";
  text += "  total: " + bytes_text(total(uses)) + "\n";
  const std::int64_t available = available_memory_bytes();
  if (available >= 0) text += "  available beside that of the program: " + bytes_text(available) + "\n";

  const Trial trial = measure(session, settings, inputs.content.working);
  const double per_pixel = trial.seconds / static_cast<double>(pixels(trial.size));
  const double evaluation = per_pixel * static_cast<double>(pixels(inputs.content.working));
  const int evaluations = std::max(1, settings.style.iterations);
  double seconds = evaluations * evaluation + kForwardShare * evaluation;
  for (const InputFile& style : inputs.styles) seconds += kForwardShare * per_pixel * static_cast<double>(pixels(style.working));
  char line[160];
  std::snprintf(line, sizeof line, "time: about %s (%d evaluations of %.3g s, scaled from %s)\n", duration_text(seconds).c_str(),
                evaluations, evaluation, size_text(trial.size).c_str());
  return text + line;
}

}  // namespace impasto::command
