// Runs the impasto command as a user would and keeps what it said.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "impasto/image_io.h"

namespace impasto::test {

// A directory of its own, removed at the end.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // Name to content of every file, recursively; directories have the content "/".
  std::map<std::string, std::string> files() const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

// A smooth picture with some noise, different for each seed; also written to path.
Image write_sample(const std::string& path, int width, int height, unsigned seed);

struct Outcome {
  int exit_code = -1;  // -1: ended by `signal`
  int signal = 0;
  std::string out;
  std::string err;
};

using Environment = std::map<std::string, std::string>;

// The command at work. Its HOME and XDG_DATA_HOME lead nowhere and IMPASTO_WEIGHTS is unset, unless `environment` says otherwise.
class Command {
 public:
  // in_child runs between fork and exec.
  explicit Command(const std::vector<std::string>& arguments, const Environment& environment = {},
                   const std::function<void()>& in_child = {});
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();

  // Reads stderr until it holds text. False when the command ended, or said nothing more for two minutes.
  bool wait_for(const std::string& text);
  void send(int signal);
  Outcome finish();

 private:
  bool read_some();

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  Outcome outcome_;
};

Outcome run(const std::vector<std::string>& arguments, const Environment& environment = {});
Outcome run_program(const std::vector<std::string>& program_and_arguments);
// Path of the command under test.
std::string command_path();

// What stderr must be after an error: one line that starts with "impasto: ".
bool is_one_error_line(const std::string& err);

}  // namespace impasto::test
