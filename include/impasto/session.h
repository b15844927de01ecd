// A session holds a network on a device and stylises pictures with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "impasto/image.h"
#include "impasto/options.h"

namespace impasto {

// The terms of the loss, weights included.
struct Losses {
  double total = 0;
  double content = 0;
  double tv = 0;
  // In the order of StyleOptions::style_layers.
  std::vector<double> style;
};

// One evaluation of losses and gradient.
struct Evaluation {
  // 1, 2, ...
  int index = 0;
  // What this evaluation took, with what the optimiser asks about the point; and the time since stylize began optimising.
  double seconds = 0;
  double elapsed = 0;
  Losses losses;
  // Root mean square of dL/dx, x in the units of the network's input.
  double gradient_rms = 0;
};

enum class StopReason { kIterations, kGradientTolerance, kChangeTolerance, kCancelled, kNotFinite };

// "iterations", "gradient tolerance", "change tolerance", "cancelled", "not finite".
std::string to_string(StopReason reason);

struct Progress {
  const Evaluation& evaluation;
  int iterations = 0;
  // The best picture so far. Valid during the call only; costs a copy.
  const std::function<Image()>& picture;
};

// Called after every evaluation, on the thread that called stylize. Return false to stop: stylize then returns the best picture so far.
// Exceptions pass through stylize.
using Observer = std::function<bool(const Progress&)>;

struct Result {
  // The picture with the lowest loss that was evaluated.
  Image image;
  std::vector<Evaluation> evaluations;
  // The weight each style layer had: as given, or the network's default.
  std::vector<double> style_weights;
  StopReason stop_reason = StopReason::kIterations;
  // What the caller should know of how it was done, a line each: that slower convolutions were taken where memory was short; that gradients
  // passed what fp16 holds and were computed again; that the file SessionOptions::plan_cache could not be read or written.
  std::vector<std::string> notices;
};

// Losses, and their gradient with respect to the pixels: element i of gradient is dL / d pixels.pixels[i], pixels in 0..1, RGB interleaved.
// (With respect to the network's input x_c = (input_scale p_c - mean_c) / std_c it is input_scale / std_c times smaller: docs/losses.md.)
struct PixelGradient {
  Losses losses;
  std::vector<double> gradient;
  // The weight each style layer had: as given, or the network's default.
  std::vector<double> style_weights;
  // As in Result.
  std::vector<std::string> notices;
};

// Backend memory a run needs, by purpose, largest first. Known before anything is allocated. The sum is the most that is held at a time:
// memory that style pictures take is given back before the rest is taken, and counts only where it is more than that.
struct MemoryUse {
  std::string purpose;
  std::int64_t bytes = 0;
};

// What a weight file says of itself (weights_converter/FORMAT.md).
struct NetworkInfo {
  std::string source;
  std::string source_sha256;
  std::string licence;
  bool untrained = false;
  double input_scale = 255;
  // Grey levels (of 255) in one unit of the network's input, averaged over channels.
  double grey_levels_per_unit = 1;

  // StyleOptions::style_weights when left empty: 1000 for a network fed 0..255, 1000 grey_levels_per_unit^2 for others, which gives the
  // same balance of style and content (docs/losses.md). Empty for an untrained network, whose defaults follow from the style pictures.
  std::vector<double> default_style_weights(std::size_t layers) const;
};

// Losses and gradients of one content and its styles, at any pixels: for checks, and for those who bring their own optimiser. Targets are
// computed once. Move-only; borrows the session that made it, which it must not outlive.
class Evaluator {
 public:
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;
  ~Evaluator();

  // pixels: of the content's size. Throws ShapeError.
  PixelGradient evaluate(const Image& pixels);

  // Seconds that losses and gradient of the pixels take, of each of `evaluations` one after the other: as an iteration of stylize does
  // them, from the picture on the device to the losses on the host, without the optimiser and without bringing pixels and gradient across.
  // The first may take longer. pixels: of the content's size. Throws OptionError for evaluations < 1, ShapeError.
  std::vector<double> seconds(const Image& pixels, int evaluations);

 private:
  friend class Session;
  struct State;
  explicit Evaluator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Move-only. Several may exist; each belongs to one thread at a time.
class Session {
 public:
  // Reads and verifies the weight file. Throws WeightError, DeviceError, OptionError.
  explicit Session(const std::string& weights_path, const SessionOptions& options = {});
  // A network of random filters made from the seed: for trying things out where no weights can be had.
  static Session untrained(std::uint64_t seed = 1, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Repaints content, at its size, in the style of one or more pictures, at theirs. Deterministic: same inputs and seed, same bits, for any
  // number of threads. init_picture is needed for, and only for, Init::kPicture; it has the content's size. Where the device has too little
  // memory, convolutions that need less are taken, slower ones and with other roundings; Result::notices says so. Throws OptionError (also
  // where the pictures' activations pass what fp16 holds),
  // ShapeError, OutOfMemoryError naming the largest pictures that would fit (then nothing of the run is kept).
  Result stylize(const Image& content, std::span<const Image> styles, const StyleOptions& options = {}, const Observer& observer = {},
                 const Image* init_picture = nullptr);

  // Throws OptionError, ShapeError, OutOfMemoryError, all as stylize. Of options, only the losses' fields are used.
  Evaluator evaluator(const Image& content, std::span<const Image> styles, const StyleOptions& options = {});
  // evaluator(content, styles, options).evaluate(pixels).
  PixelGradient evaluate(const Image& pixels, const Image& content, std::span<const Image> styles, const StyleOptions& options = {});

  // Backend memory that stylize would take for pictures of these sizes (only width and height of content and styles are read). Takes none,
  // unless SessionOptions::autotune has convolutions to measure.
  std::vector<MemoryUse> memory_plan(const Image& content, std::span<const Image> styles, const StyleOptions& options = {}) const;

  const NetworkInfo& network() const;
  // What it computes on; never kAuto.
  Device device() const;
  // Device, instruction set, threads, on one line.
  std::string device_description() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "0.1.0"
std::string version();
// What this machine has to compute on, one line each: the CPU, then every CUDA device ("cuda:0: ...") or the one reason why there is none.
// cuda_module: as in SessionOptions.
std::vector<std::string> devices(const std::string& cuda_module = {});
// Vector instruction sets of the CPU backend on this machine, best first.
std::vector<std::string> cpu_isas();

}  // namespace impasto
