#include "tools/impasto/run.h"

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "impasto/error.h"
#include "impasto/session.h"
#include "tools/impasto/estimate.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/files.h"
#include "tools/impasto/interrupt.h"
#include "tools/impasto/memory.h"
#include "tools/impasto/numbers.h"
#include "tools/impasto/pictures.h"
#include "tools/impasto/progress.h"
#include "tools/impasto/published.h"
#include "tools/impasto/report.h"
#include "tools/impasto/weights_path.h"
#include "weights_converter/sha256.h"

namespace impasto::command {

namespace {

void note(const Settings& settings, const std::string& text) {
  if (!settings.quiet) std::fprintf(stderr, "impasto: %s\n", text.c_str());
}

void print_result(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) throw Failure(kRunFailed, "standard output cannot be written");
}

void stop_if_interrupted() {
  const int signal = interrupting_signal();
  if (signal != 0) throw Failure(static_cast<ExitCode>(kSignal + signal), "interrupted before the picture changed; nothing was written");
}

Session open_session(const Settings& settings, const std::string& weights) {
  if (settings.untrained) return Session::untrained(settings.style.seed, settings.session);
  return Session(weights, settings.session);
}

// A preset's published losses hold for one network.
void check_network(const Settings& settings, const NetworkInfo& network) {
  if (settings.preset != Preset::kGatys) return;
  if (network.untrained) throw Failure(kUsage, "--preset gatys needs the Oxford weights and cannot be combined with --untrained");
  if (network.input_scale != 255) {
    throw Failure(kNoWeights, "--preset gatys needs the Oxford weights (input 0..255), these are '" + network.source +
                                  "'; tools/get-weights obtains them");
  }
}

// The pictures of --save-every. A picture that cannot be written does not end the run; it is reported when the run has ended.
class Snapshots {
 public:
  Snapshots(const Settings& settings, const Inputs& inputs, const Pictures& pictures)
      : settings_(settings), inputs_(inputs), pictures_(pictures) {}

  void offer(const Progress& progress) {
    const int evaluation = progress.evaluation.index;
    if (settings_.save_every == 0 || evaluation % settings_.save_every != 0) return;
    try {
      save_picture(snapshot_path(settings_.output, evaluation), progress.picture(), pictures_, settings_, inputs_, evaluation);
    } catch (const IoError& error) {
      if (first_error_.empty()) first_error_ = error.what();
    }
  }

  const std::string& first_error() const { return first_error_; }

 private:
  const Settings& settings_;
  const Inputs& inputs_;
  const Pictures& pictures_;
  std::string first_error_;
};

std::string losses_text(const Evaluation& evaluation, const std::vector<std::string>& style_layers) {
  const Losses& losses = evaluation.losses;
  std::string text = "total " + number_text(losses.total) + "\ncontent " + number_text(losses.content) + "\n";
  for (std::size_t i = 0; i < losses.style.size(); ++i) text += "style " + style_layers[i] + " " + number_text(losses.style[i]) + "\n";
  text += "tv " + number_text(losses.tv) + "\ngradient_rms " + number_text(evaluation.gradient_rms) + "\n";
  return text;
}

std::string outcome_text(const Result& result) {
  const Evaluation& first = result.evaluations.front();
  const Evaluation* best = &first;
  for (const Evaluation& evaluation : result.evaluations) {
    if (evaluation.losses.total < best->losses.total) best = &evaluation;
  }
  char losses[96];
  std::snprintf(losses, sizeof losses, "loss %.6g -> %.6g", first.losses.total, best->losses.total);
  return std::to_string(result.evaluations.size()) + " evaluations in " + duration_text(result.evaluations.back().elapsed) + ", " + losses +
         ", stopped by: " + to_string(result.stop_reason) + ", peak memory " + bytes_text(peak_memory_bytes());
}

// What a run that has no room needs, in the command's own options.
Failure out_of_memory(const OutOfMemoryError& error) {
  const std::string width = error.max_width > 0 ? "--max-width " + std::to_string(error.max_width) : "a smaller --max-width";
  return {kOutOfMemory, std::string(error.what()) + " (" + width + ", --history)"};
}

void announce(const Settings& settings, const Inputs& inputs) {
  const auto size = [](Size s) { return std::to_string(s.width) + "x" + std::to_string(s.height); };
  std::string text = "content " + size(inputs.content.working) + ", style";
  for (const InputFile& style : inputs.styles) text += " " + size(style.working);
  note(settings, text + "; " + inputs.device + "; weights " + (inputs.weights_path.empty() ? "none" : inputs.weights_path));
  if (settings.untrained) note(settings, "the network is untrained (random filters): expect textures, not the style a trained VGG19 gives");
}

}  // namespace

int run(const Settings& settings) {
  Inputs inputs;
  if (!settings.untrained) inputs.weights_path = find_weights(settings);
  check_outputs(settings, inputs.weights_path);
  Pictures pictures = read_pictures(settings, inputs);
  stop_if_interrupted();

  Session session = open_session(settings, inputs.weights_path);
  inputs.network = session.network();
  inputs.device = session.device_description();
  inputs.style_weights = known_style_weights(settings.style, inputs.network);
  check_network(settings, inputs.network);
  if (settings.dry_run) {
    print_result(dry_run_text(session, settings, inputs));
    return kOk;
  }
  // A GPU has memory of its own, and the session says what would fit there.
  if (session.device() != Device::kCuda) check_memory(memory_needed(session, settings, inputs));
  if (!settings.untrained) inputs.weights_sha256 = sha256_file(inputs.weights_path);
  resize_pictures(settings, inputs, pictures);
  announce(settings, inputs);
  stop_if_interrupted();

  std::vector<Image> styles;
  for (Picture& style : pictures.styles) styles.push_back(std::move(style.image));
  const std::unique_ptr<ProgressDisplay> display = make_progress(settings.progress, settings.style.style_layers);
  Snapshots snapshots(settings, inputs, pictures);
  const auto observer = [&](const Progress& progress) {
    display->show(progress.evaluation, progress.iterations);
    snapshots.offer(progress);
    return interrupting_signal() == 0;
  };
  const auto stylize = [&] {
    try {
      return session.stylize(pictures.content.image, styles, settings.style, observer, pictures.init ? &pictures.init->image : nullptr);
    } catch (const OutOfMemoryError& error) {
      throw out_of_memory(error);
    }
  };
  Result result = stylize();
  display->finish();
  for (const std::string& notice : result.notices) note(settings, notice);

  const bool interrupted = result.stop_reason == StopReason::kCancelled;
  if (interrupted && result.evaluations.size() <= 1) stop_if_interrupted();
  if (!std::isfinite(result.evaluations.front().losses.total)) {
    throw Failure(kRunFailed, "the first loss is " + number_text(result.evaluations.front().losses.total) + "; nothing was written");
  }
  inputs.style_weights = result.style_weights;
  note(settings, outcome_text(result));
  if (!settings.output.empty()) {
    save_picture(settings.output, std::move(result.image), pictures, settings, inputs, static_cast<int>(result.evaluations.size()));
  }
  if (!settings.report.empty()) write_text(settings.report, report_json(settings, inputs, result, peak_memory_bytes()));
  if (settings.style.iterations == 0) print_result(losses_text(result.evaluations.front(), settings.style.style_layers));
  if (settings.preset == Preset::kGatys) print_result(published_table(result.evaluations));
  if (!settings.output.empty()) print_result(settings.output + "\n");

  if (interrupted) return kSignal + interrupting_signal();
  if (!snapshots.first_error().empty()) throw Failure(kRunFailed, "a picture of --save-every is missing: " + snapshots.first_error());
  if (result.stop_reason == StopReason::kNotFinite) {
    throw Failure(kRunFailed, "the loss stopped being finite; the best picture before that was saved");
  }
  return kOk;
}

}  // namespace impasto::command
