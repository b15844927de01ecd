#include "tools/impasto/weights_path.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tools/impasto/failure.h"

namespace impasto::command {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string must_exist(const std::string& path, const std::string& named_by) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  const bool exists = fs::exists(path, error);
  throw Failure(kNoWeights, named_by + " " + path + ": " + (exists ? "not a file" : "no such file") +
                                "; tools/get-weights obtains the weights, --untrained does without");
}

}  // namespace

std::vector<std::string> weights_candidates(Preset preset) {
  std::vector<fs::path> folders;
  const std::string data_home = environment("XDG_DATA_HOME");
  const std::string home = environment("HOME");
  if (!data_home.empty()) {
    folders.push_back(fs::path(data_home) / "impasto");
  } else if (!home.empty()) {
    folders.push_back(fs::path(home) / ".local/share/impasto");
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    folders.push_back(program.parent_path().parent_path() / "share/impasto");
    folders.push_back(program.parent_path());
  }
  std::vector<std::string> candidates;
  for (const fs::path& folder : folders) {
    candidates.push_back((folder / "vgg19-oxford.h5").string());
    if (preset == Preset::kNone) candidates.push_back((folder / "vgg19-torchvision.h5").string());
  }
  return candidates;
}

std::string find_weights(const Settings& settings) {
  if (!settings.weights.empty()) return must_exist(settings.weights, "--weights");
  const std::string named = environment("IMPASTO_WEIGHTS");
  if (!named.empty()) return must_exist(named, "IMPASTO_WEIGHTS");
  std::string tried;
  for (const std::string& path : weights_candidates(settings.preset)) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  throw Failure(
      kNoWeights,
      "no weights found; run tools/get-weights, name a file with --weights or IMPASTO_WEIGHTS, or use --untrained; tried " + tried);
}

}  // namespace impasto::command
