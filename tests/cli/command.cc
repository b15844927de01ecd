#include "tests/cli/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

namespace impasto::test {

namespace fs = std::filesystem;

namespace {

// Silence that counts as hanging: a quiet run under a sanitizer on a busy machine takes half a minute.
constexpr int kPatienceMilliseconds = 120'000;

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_strings(const Environment& changes) {
  Environment environment = {{"HOME", "/nonexistent"}, {"XDG_DATA_HOME", "/nonexistent"}};
  for (const char* kept : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(kept)) environment[kept] = value;
  }
  for (const auto& [name, value] : changes) environment[name] = value;
  std::vector<std::string> strings;
  for (const auto& [name, value] : environment) strings.push_back(name + "=" + value);
  return strings;
}

}  // namespace

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "impasto-cli-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

Folder::~Folder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::map<std::string, std::string> Folder::files() const {
  std::map<std::string, std::string> result;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path_)) {
    const std::string name = entry.path().lexically_relative(path_).string();
    result[name] = entry.is_directory() ? "/" : read_file(entry.path().string());
  }
  return result;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

Image write_sample(const std::string& path, int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return static_cast<float>(random() % 65536) / 65536.0f; };
  const float phase = 6 * uniform();
  const float frequency = 0.2f + 0.3f * uniform();
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float wave = std::sin(phase + frequency * static_cast<float>(x * (c + 1) + 2 * y));
        image.pixels.push_back(0.5f + 0.35f * wave + 0.15f * (uniform() - 0.5f));
      }
    }
  }
  write_picture(path, {image, {}});
  return image;
}

Command::Command(const std::vector<std::string>& arguments, const Environment& environment, const std::function<void()>& in_child) {
  std::vector<std::string> words = arguments;
  std::vector<std::string> variables = environment_strings(environment);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    if (in_child) in_child();
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Command::~Command() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    finish();
  }
}

// False at the end of both streams, or when nothing came for too long.
bool Command::read_some() {
  pollfd streams[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  if (poll(streams, 2, kPatienceMilliseconds) <= 0) return false;
  const auto drain = [](const pollfd& stream, int& descriptor, std::string& text) {
    if (stream.revents == 0) return;
    char buffer[4096];
    const ssize_t count = read(descriptor, buffer, sizeof buffer);
    if (count > 0) {
      text.append(buffer, static_cast<std::size_t>(count));
    } else {
      close(descriptor);
      descriptor = -1;
    }
  };
  drain(streams[0], out_, outcome_.out);
  drain(streams[1], err_, outcome_.err);
  return true;
}

bool Command::wait_for(const std::string& text) {
  while (outcome_.err.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

void Command::send(int signal) { kill(pid_, signal); }

Outcome Command::finish() {
  while (read_some()) {
  }
  if (out_ >= 0 || err_ >= 0) kill(pid_, SIGKILL);  // hangs
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  for (int* descriptor : {&out_, &err_}) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
  }
  if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  return outcome_;
}

std::string command_path() { return IMPASTO_COMMAND; }

Outcome run(const std::vector<std::string>& arguments, const Environment& environment) {
  std::vector<std::string> words = {command_path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return Command(words, environment).finish();
}

Outcome run_program(const std::vector<std::string>& program_and_arguments) { return Command(program_and_arguments).finish(); }

bool is_one_error_line(const std::string& err) {
  return err.starts_with("impasto: ") && err.size() > 10 && err.find('\n') == err.size() - 1;
}

}  // namespace impasto::test
