// What is written about a run: the report file, the picture's metadata, the settings that --dry-run prints, JSON progress lines.
// Numbers that are not finite become null: JSON has no others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "impasto/session.h"
#include "tools/impasto/settings.h"
#include "tools/impasto/sizing.h"

namespace impasto::command {

struct InputFile {
  std::string path;
  std::string sha256;
  Size original;
  Size working;
};

// What went into a run.
struct Inputs {
  InputFile content;
  std::vector<InputFile> styles;
  std::optional<InputFile> init;
  std::string weights_path;  // empty: untrained
  std::string weights_sha256;
  NetworkInfo network;
  std::string device;
  // One for each style layer: as given, or the network's; empty where they follow from the style pictures and the run has not begun.
  std::vector<double> style_weights;
};

// What Inputs::style_weights is before the run.
std::vector<double> known_style_weights(const StyleOptions& style, const NetworkInfo& network);

// The report file's text; stop_reason is the result's, peak_memory_bytes that of this process.
std::string report_json(const Settings& settings, const Inputs& inputs, const Result& result, std::int64_t peak_memory_bytes);

// For the picture: the settings it depends on, hashes. Nothing that differs between two runs with the same outcome (threads, times, paths).
std::map<std::string, std::string> picture_metadata(const Settings& settings, const Inputs& inputs);

// Every setting's final value, one "name: value" per line.
std::string settings_text(const Settings& settings, const Inputs& inputs);

// One line, without newline.
std::string progress_json(const Evaluation& evaluation, const std::vector<std::string>& style_layers, int iterations, double remaining);

// Name and version of the JSON library, for --version.
std::string report_library();

}  // namespace impasto::command
