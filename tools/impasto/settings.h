// What a run does, and how it follows from the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "impasto/options.h"
#include "tools/impasto/sizing.h"

namespace impasto::command {

enum class ProgressKind { kAuto, kBar, kPlain, kJson, kNone };

enum class Preset {
  kNone,
  kGatys,  // the published notebook of Gatys (LG in the literature list of docs): see presets.cc
};

// The options that a preset sets, as far as the command line named them.
struct Overrides {
  std::optional<Sizing::Rule> rule;
  std::optional<int> pixels;
  std::optional<Filter> filter;
  std::optional<bool> antialias;
  std::optional<Optimizer> optimizer;
  std::optional<int> iterations;
  std::optional<int> history;
  std::optional<double> content_weight;
  std::optional<std::vector<double>> style_weights;
  std::optional<std::vector<std::string>> content_layers;
  std::optional<std::vector<std::string>> style_layers;
  std::optional<Pooling> pooling;
  std::optional<Init> init;
  std::optional<double> tv_weight;
};

// Everything a run is asked to do, after defaults, preset and options.
struct Settings {
  Preset preset = Preset::kNone;
  std::string content;
  std::vector<std::string> styles;
  std::string init_picture;  // for Init::kPicture
  std::string output;        // empty: none, for --dry-run and --iterations 0
  std::string report;        // empty: none
  std::string weights;       // as named on the command line; empty: searched for
  bool untrained = false;

  Sizing sizing;
  StyleOptions style;
  SessionOptions session;

  int save_every = 0;
  int bit_depth = 8;
  int quality = 95;
  std::int64_t max_pixels = 300'000'000;
  ProgressKind progress = ProgressKind::kAuto;
  bool quiet = false;
  bool dry_run = false;
};

// Sets what the preset says, then what the command line said.
void apply(Preset preset, const Overrides& overrides, Settings& settings);

std::string to_string(Preset preset);
std::string to_string(Optimizer optimizer);
std::string to_string(Pooling pooling);
std::string to_string(Device device);

// Where to look for the CUDA module: $IMPASTO_CUDA_MODULE, "" for the usual places.
std::string cuda_module();
// Where measured plans are kept: cuda-plans.json in $XDG_CACHE_HOME/impasto, by default ~/.cache/impasto; "" without a home.
std::string plan_cache();
// With the picture's path for kPicture.
std::string init_name(const Settings& settings);
std::string filter_name(const Sizing& sizing);
// "at most 400 wide", "longer side 512", ...
std::string to_string(const Sizing& sizing);

}  // namespace impasto::command
