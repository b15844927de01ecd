#include "tools/impasto/estimate.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "impasto/error.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/memory.h"
#include "tools/impasto/progress.h"

namespace impasto::command {

namespace {

// Style targets take one forward pass and no gradient: a third of an evaluation's multiplications, more of its memory traffic.
constexpr double kForwardShare = 0.4;
// A second trial shows what does not grow with the picture; where the first takes longer than this, it is too slow to try.
constexpr double kSlowTrial = 0.2;
constexpr Size kSmallTrial = {64, 48};
constexpr Size kLargeTrial = {256, 192};

std::int64_t pixels(Size size) { return std::int64_t{size.width} * size.height; }

std::string size_text(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

// A picture with some structure; its content does not matter to the time.
Image trial_picture(Size size) {
  Image image{size.width, size.height, std::vector<float>(static_cast<std::size_t>(pixels(size)) * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<float>((i * 7919) % 256) / 255.0f;
  return image;
}

// Seconds of an evaluation of `pixels` pixels: fixed + each * pixels. What is fixed is the work on the filters.
struct Trial {
  std::string sizes;
  double fixed = 0;
  double each = 0;
};

double evaluation_seconds(Session& session, const StyleOptions& options, Size size) {
  const Image picture = trial_picture(size);
  const Result result = session.stylize(picture, std::span(&picture, 1), options);
  double least = result.evaluations.front().seconds;
  for (const Evaluation& evaluation : result.evaluations) least = std::min(least, evaluation.seconds);
  return least;
}

Trial measure(Session& session, const Settings& settings, Size content) {
  StyleOptions options = settings.style;
  options.init = Init::kContent;
  options.iterations = 3;
  options.style_blend.clear();
  const double small = evaluation_seconds(session, options, kSmallTrial);
  const double small_pixels = static_cast<double>(pixels(kSmallTrial));
  if (pixels(content) <= pixels(kSmallTrial)) return {size_text(kSmallTrial), small, 0};
  if (small > kSlowTrial) return {size_text(kSmallTrial), 0, small / small_pixels};
  const double large = evaluation_seconds(session, options, kLargeTrial);
  const double large_pixels = static_cast<double>(pixels(kLargeTrial));
  const double each = std::max(0.0, (large - small) / (large_pixels - small_pixels));
  return {size_text(kSmallTrial) + " and " + size_text(kLargeTrial), std::max(0.0, small - each * small_pixels), each};
}

std::int64_t total(const std::vector<MemoryUse>& uses) {
  std::int64_t sum = 0;
  for (const MemoryUse& use : uses) sum += use.bytes;
  return sum;
}

Image size_only(Size size) { return {size.width, size.height, {}}; }

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
  text += "  total, at most: " + bytes_text(total(uses)) + "\n";
  const std::int64_t available = session.device() == Device::kCuda ? -1 : available_memory_bytes();
  if (available >= 0) text += "  available beside that of the program: " + bytes_text(available) + "\n";

  Trial trial;
  try {
    trial = measure(session, settings, inputs.content.working);
  } catch (const OutOfMemoryError& error) {
    return text + "time: not known: " + error.what() + "\n";
  }
  const auto seconds_of = [&](Size size) { return trial.fixed + trial.each * static_cast<double>(pixels(size)); };
  const double evaluation = seconds_of(inputs.content.working);
  const int evaluations = std::max(1, settings.style.iterations);
  double seconds = (evaluations + kForwardShare) * evaluation;
  for (const InputFile& style : inputs.styles) seconds += kForwardShare * seconds_of(style.working);
  char line[160];
  std::snprintf(line, sizeof line, "time: about %s (%d evaluations of %.3g s, judged by %s)\n", duration_text(seconds).c_str(), evaluations,
                evaluation, trial.sizes.c_str());
  return text + line;
}

}  // namespace impasto::command
