// What the user sees on stderr while the run goes on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "impasto/session.h"
#include "tools/impasto/settings.h"

namespace impasto::command {

class ProgressDisplay {
 public:
  virtual ~ProgressDisplay() = default;
  virtual void show(const Evaluation& evaluation, int iterations) = 0;
  // After the last evaluation, whether all were made or not. Nothing else may be printed between the first show and finish.
  virtual void finish() {}
};

// kAuto: a bar where stderr is a terminal that can move its cursor, plain lines otherwise. style_layers name the losses for kJson.
std::unique_ptr<ProgressDisplay> make_progress(ProgressKind kind, const std::vector<std::string>& style_layers);

// "0:07", "12:05", "1:02:03".
std::string duration_text(double seconds);

// Estimated from the evaluations so far, the first not counted where there are more: it often pays for page faults.
class RemainingTime {
 public:
  // Seconds that the evaluations after this one will take.
  double after(const Evaluation& evaluation, int iterations);

 private:
  double first_elapsed_ = 0;
};

// One line without newline: the bar's text for a terminal of `columns`.
std::string bar_text(const Evaluation& evaluation, int iterations, double remaining, int columns);
std::string plain_text(const Evaluation& evaluation, int iterations, double remaining);

}  // namespace impasto::command
