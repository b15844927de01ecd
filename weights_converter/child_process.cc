#include "weights_converter/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "impasto/error.h"

namespace impasto {
namespace {

constexpr int kThrewWeightError = 1;
constexpr int kThrewOther = 2;

Error system_error(const char* what) { return Error(std::string("cannot ") + what + ": " + std::strerror(errno)); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

// Never returns, flushes nothing that the parent has buffered, and leaves no core file.
[[noreturn]] void be_the_child(int message_pipe, unsigned cpu_seconds, int file, const std::function<void(int)>& write) {
  const rlimit no_core = {0, 0};
  const rlimit cpu = {cpu_seconds, cpu_seconds};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::setrlimit(RLIMIT_CPU, &cpu);
  // A message is shorter than a pipe's buffer, so it goes in one piece; if it does not, the exit code still says that there was one.
  const auto leave = [message_pipe](const std::exception& error, int code) {
    [[maybe_unused]] const ssize_t written = ::write(message_pipe, error.what(), std::strlen(error.what()));
    ::_exit(code);
  };
  try {
    write(file);
  } catch (const WeightError& error) {
    leave(error, kThrewWeightError);
  } catch (const std::exception& error) {
    leave(error, kThrewOther);
  }
  ::_exit(0);
}

std::string read_to_end(int descriptor) {
  std::string text;
  char block[256];
  while (true) {
    const ssize_t got = ::read(descriptor, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block, static_cast<std::size_t>(got));
  }
}

}  // namespace

std::unique_ptr<InputFile> written_by_child(const std::string& path, unsigned cpu_seconds, const std::function<void(int)>& write) {
  Descriptor file(::memfd_create("impasto", MFD_CLOEXEC));
  if (file.get() < 0) throw system_error("make a file in memory");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("make a pipe");
  const Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw system_error("start a process");
  if (child == 0) be_the_child(to_parent.get(), cpu_seconds, file.get(), write);
  to_parent.close();
  const std::string message = read_to_end(from_child.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw system_error("wait for a process");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::make_unique<InputFile>(file.release(), path);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kThrewWeightError) throw WeightError(message);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kThrewOther) throw Error(message);
  throw WeightError(path + " is damaged: reading it ended by " + (WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "a failed check"));
}

}  // namespace impasto
