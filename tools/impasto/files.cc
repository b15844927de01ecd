#include "tools/impasto/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "tools/impasto/failure.h"

namespace impasto::command {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw Failure(kRunFailed, path + ": cannot be written: " + reason);
}

// The file that a symbolic link leads to, so that renaming does not replace the link.
std::string link_target(const std::string& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::weakly_canonical(path, error);
  return error ? path : target.string();
}

// A temporary file beside path, removed unless it was renamed.
class Temporary {
 public:
  explicit Temporary(const std::string& path) : target_(link_target(path)), name_(target_ + ".XXXXXX") {
    std::error_code error;
    const fs::file_status status = fs::status(target_, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) refuse(path, "not a regular file");
    if (fs::exists(status) && access(target_.c_str(), W_OK) != 0) refuse(path, std::strerror(errno));
    descriptor_ = mkstemp(name_.data());
    if (descriptor_ < 0) refuse(path, std::strerror(errno));
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!name_.empty()) unlink(name_.c_str());
  }

  // 0, or the errno of what failed.
  int write(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0 && errno != EINTR) return errno;
      if (count > 0) done += static_cast<std::size_t>(count);
    }
    return 0;
  }

  int commit() {
    // mkstemp makes private files; a report is as readable as any other new file, or as the one it replaces.
    struct stat old = {};
    mode_t mode = 0;
    if (stat(target_.c_str(), &old) == 0) {
      mode = old.st_mode & 07777;
    } else {
      const mode_t mask = umask(0);
      umask(mask);
      mode = 0666 & ~mask;
    }
    if (fchmod(descriptor_, mode) != 0 || fsync(descriptor_) != 0) return errno;
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 || rename(name_.c_str(), target_.c_str()) != 0) return errno;
    name_.clear();
    return 0;
  }

 private:
  std::string target_;
  std::string name_;
  int descriptor_ = -1;
};

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error);
}

void check_text_writable(const std::string& path) { Temporary temporary(path); }

void write_text(const std::string& path, const std::string& text) {
  Temporary temporary(path);
  int error = temporary.write(text);
  if (error == 0) error = temporary.commit();
  if (error != 0) refuse(path, std::strerror(error));
}

std::string snapshot_path(const std::string& output, int evaluation) {
  const fs::path path(output);
  char number[16];
  std::snprintf(number, sizeof number, "-%04d", evaluation);
  return (path.parent_path() / (path.stem().string() + number + path.extension().string())).string();
}

}  // namespace impasto::command
