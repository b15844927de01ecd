// The pictures that go into a run and the one that comes out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "impasto/image_io.h"
#include "tools/impasto/report.h"
#include "tools/impasto/settings.h"

namespace impasto::command {

struct Pictures {
  Picture content;
  std::vector<Picture> styles;
  std::optional<Picture> init;
};

// Before anything is computed: throws Failure unless output, report and the pictures of --save-every can be written and are none of the
// inputs (weights: the weight file, empty for none).
void check_outputs(const Settings& settings, const std::string& weights);

// Decodes and hashes the pictures, at their original sizes; fills content, styles and init of `inputs`, working sizes included. Throws
// Failure (input unreadable).
Pictures read_pictures(const Settings& settings, Inputs& inputs);

// Every picture at the working size that `inputs` gives.
void resize_pictures(const Settings& settings, const Inputs& inputs, Pictures& pictures);

// Writes image, with the content's transparency, to path. `evaluations`: how many led to it. Throws IoError.
void save_picture(const std::string& path, Image image, const Pictures& pictures, const Settings& settings, const Inputs& inputs,
                  int evaluations);

}  // namespace impasto::command
