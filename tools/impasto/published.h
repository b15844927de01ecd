// The losses that the notebook behind --preset gatys published, beside ours.
#pragma once

#include <span>
#include <string>

#include "impasto/session.h"

namespace impasto::command {

// A table of several lines, the marks that were reached.
std::string published_table(std::span<const Evaluation> evaluations);

}  // namespace impasto::command
