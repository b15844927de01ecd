#include "tools/impasto/published.h"

#include <cstddef>
#include <cstdio>

namespace impasto::command {

namespace {

struct Mark {
  int label;
  double loss;
};

// Output of NeuralStyleTransfer.ipynb (github.com/leongatys/PytorchNeuralStyleTransfer, commit be6c8e2), 512 pixels.
constexpr Mark kMarks[] = {{50, 1388532.5},    {100, 707860.75}, {150, 538045.4375}, {200, 469374.875}, {250, 433804.625},
                           {300, 411657.5625}, {350, 395248.25}, {400, 383885.3125}, {450, 375128.75},  {500, 368493.78125}};

// The notebook counts its evaluations from 1 and prints number n, n = 49, 99, ..., as "Iteration n + 1".
constexpr int kEvaluationBeforeLabel = 1;

}  // namespace

std::string published_table(std::span<const Evaluation> evaluations) {
  std::string table = "iteration           ours  published (Tuebingen + Starry Night)  deviation\n";
  for (const Mark& mark : kMarks) {
    const std::size_t evaluation = static_cast<std::size_t>(mark.label - kEvaluationBeforeLabel);
    if (evaluation > evaluations.size()) break;
    const double ours = evaluations[evaluation - 1].losses.total;
    char line[128];
    std::snprintf(line, sizeof line, "%9d %14.1f %37.1f %+9.1f%%\n", mark.label, ours, mark.loss, 100 * (ours / mark.loss - 1));
    table += line;
  }
  return table;
}

}  // namespace impasto::command
