#include "tools/impasto/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tools/impasto/report.h"

namespace impasto::command {

namespace {

// Plain lines: the first evaluation, every tenth, the last; and where evaluations are slow, one a minute, so that a log shows life.
constexpr int kPlainEvery = 10;
constexpr double kPlainSeconds = 60;
constexpr int kDefaultColumns = 80;
constexpr int kMaxBar = 40;

bool terminal_with_cursor() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

int terminal_columns() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

class Nothing : public ProgressDisplay {
 public:
  void show(const Evaluation&, int) override {}
};

class Bar : public ProgressDisplay {
 public:
  void show(const Evaluation& evaluation, int iterations) override {
    const double remaining = remaining_.after(evaluation, iterations);
    const auto now = std::chrono::steady_clock::now();
    // Ten redraws a second are as smooth as anyone can read.
    const bool last = evaluation.index >= iterations;
    if (drawn_ && !last && now - drawn_at_ < std::chrono::milliseconds(100)) return;
    drawn_ = true;
    drawn_at_ = now;
    std::fprintf(stderr, "\r%s\x1b[K", bar_text(evaluation, iterations, remaining, terminal_columns()).c_str());
    std::fflush(stderr);
  }
  void finish() override {
    if (drawn_) std::fputc('\n', stderr);
    drawn_ = false;
  }
  ~Bar() override { finish(); }

 private:
  RemainingTime remaining_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point drawn_at_;
};

class Plain : public ProgressDisplay {
 public:
  void show(const Evaluation& evaluation, int iterations) override {
    pending_ = plain_text(evaluation, iterations, remaining_.after(evaluation, iterations));
    const bool due = evaluation.index == 1 || evaluation.index % kPlainEvery == 0 || evaluation.index >= iterations;
    if (!due && evaluation.elapsed - printed_at_ < kPlainSeconds) return;
    printed_at_ = evaluation.elapsed;
    finish();
  }
  void finish() override {
    if (!pending_.empty()) std::fprintf(stderr, "%s\n", pending_.c_str());
    pending_.clear();
  }

 private:
  RemainingTime remaining_;
  double printed_at_ = 0;
  std::string pending_;
};

class JsonLines : public ProgressDisplay {
 public:
  explicit JsonLines(std::vector<std::string> style_layers) : style_layers_(std::move(style_layers)) {}
  void show(const Evaluation& evaluation, int iterations) override {
    const double remaining = remaining_.after(evaluation, iterations);
    std::fprintf(stderr, "%s\n", progress_json(evaluation, style_layers_, iterations, remaining).c_str());
  }

 private:
  RemainingTime remaining_;
  std::vector<std::string> style_layers_;
};

}  // namespace

std::unique_ptr<ProgressDisplay> make_progress(ProgressKind kind, const std::vector<std::string>& style_layers) {
  if (kind == ProgressKind::kAuto) kind = terminal_with_cursor() ? ProgressKind::kBar : ProgressKind::kPlain;
  switch (kind) {
    case ProgressKind::kBar:
      return std::make_unique<Bar>();
    case ProgressKind::kJson:
      return std::make_unique<JsonLines>(style_layers);
    case ProgressKind::kNone:
      return std::make_unique<Nothing>();
    default:
      return std::make_unique<Plain>();
  }
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-:--";
  const long long total = std::llround(std::min(seconds, 1e12));
  const long long hours = total / 3600;
  const long long minutes = total / 60 % 60;
  char text[48];
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", hours, minutes, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", minutes, total % 60);
  }
  return text;
}

double RemainingTime::after(const Evaluation& evaluation, int iterations) {
  const int left = std::max(0, iterations - evaluation.index);
  if (evaluation.index <= 1) {
    first_elapsed_ = evaluation.elapsed;
    return left * evaluation.seconds;
  }
  return left * (evaluation.elapsed - first_elapsed_) / (evaluation.index - 1);
}

std::string plain_text(const Evaluation& evaluation, int iterations, double remaining) {
  char text[128];
  std::snprintf(text, sizeof text, "evaluation %4d/%d  loss %.6e  %.3f s  ETA %s", evaluation.index, iterations, evaluation.losses.total,
                evaluation.seconds, duration_text(remaining).c_str());
  return text;
}

std::string bar_text(const Evaluation& evaluation, int iterations, double remaining, int columns) {
  char text[128];
  const double rate = evaluation.seconds > 0 ? 1 / evaluation.seconds : 0;
  std::snprintf(text, sizeof text, " %d/%d  loss %.4e  %.2f/s  ETA %s", evaluation.index, iterations, evaluation.losses.total, rate,
                duration_text(remaining).c_str());
  const std::string numbers = text;
  // The last column stays free: a character there makes some terminals wrap.
  const int room = columns - 1 - static_cast<int>(numbers.size()) - 2;
  if (room < 4) return numbers.substr(1, static_cast<std::size_t>(std::max(0, columns - 1)));
  const int bar = std::min(room, kMaxBar);
  const int done = iterations > 0 ? static_cast<int>(std::int64_t{bar} * std::min(evaluation.index, iterations) / iterations) : bar;
  return "[" + std::string(static_cast<std::size_t>(done), '#') + std::string(static_cast<std::size_t>(bar - done), '.') + "]" + numbers;
}

}  // namespace impasto::command
