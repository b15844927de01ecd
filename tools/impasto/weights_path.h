// Where the weight file is.
#pragma once

#include <string>
#include <vector>

#include "tools/impasto/settings.h"

namespace impasto::command {

// The file named by --weights or, where that is not given, by $IMPASTO_WEIGHTS; else the first that exists among
// vgg19-oxford.h5 and vgg19-torchvision.h5 in $XDG_DATA_HOME/impasto (default ~/.local/share/impasto), PREFIX/share/impasto and beside
// the program. A preset looks only for its own network. Throws Failure (no weights) listing every path tried and how to get one.
std::string find_weights(const Settings& settings);

// The paths that are tried when none is named, in order.
std::vector<std::string> weights_candidates(Preset preset);

}  // namespace impasto::command
