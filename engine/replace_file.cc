#include "engine/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "engine/one_line.h"
#include "impasto/error.h"

namespace impasto {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw IoError("cannot write " + one_line(path) + ": " + reason);
}

[[noreturn]] void fail_with_errno(const std::string& path) { fail(path, std::generic_category().message(errno)); }

struct Target {
  std::string file;
  std::string directory;
  std::optional<mode_t> mode;  // of the file that is there
};

Target target_of(const std::string& path) {
  Target target;
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) fail(path, "it is a directory");
    if (!S_ISREG(status.st_mode)) fail(path, "it is not a regular file");
    if (access(path.c_str(), W_OK) != 0) fail_with_errno(path);
    target.mode = status.st_mode & 07777;
  } else if (errno != ENOENT) {
    fail_with_errno(path);
  }
  const std::unique_ptr<char, decltype(&std::free)> followed(realpath(path.c_str(), nullptr), std::free);
  target.file = followed ? followed.get() : path;
  target.directory = std::filesystem::path(target.file).parent_path().string();
  if (target.directory.empty()) target.directory = std::string(1, '.');
  return target;
}

class TemporaryFile {
 public:
  // In the directory of target, with a name of its own. Throws IoError naming path.
  TemporaryFile(const Target& target, const std::string& path) {
    static std::atomic<unsigned> serial = 0;
    do {
      name_ = target.directory + "/.impasto-" + std::to_string(getpid()) + "-" + std::to_string(serial++) + ".tmp";
      fd_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd_ < 0 && errno == EEXIST);
    if (fd_ < 0) fail(path, "no file can be made in " + one_line(target.directory) + ": " + std::generic_category().message(errno));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ >= 0) close(fd_);
    if (!name_.empty()) unlink(name_.c_str());
  }

  bool set_mode(mode_t mode) { return fchmod(fd_, mode) == 0; }

  bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  bool flush_and_close() {
    if (fsync(fd_) != 0) return false;
    const int fd = fd_;
    fd_ = -1;
    return close(fd) == 0;
  }

  bool rename_to(const std::string& file) {
    if (rename(name_.c_str(), file.c_str()) != 0) return false;
    name_.clear();
    return true;
  }

 private:
  std::string name_;
  int fd_ = -1;
};

// Makes a rename in directory last. Some file systems cannot (EINVAL), and a directory that may not be read cannot be opened: both are no
// error, for the file is in its place.
bool flush_directory(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno == EACCES;
  const bool flushed = fsync(fd) == 0 || errno == EINVAL;
  const int reason = errno;
  close(fd);
  errno = reason;
  return flushed;
}

}  // namespace

void check_replaceable(const std::string& path) { const TemporaryFile probe(target_of(path), path); }

void replace_file(const std::string& path, std::string_view bytes) {
  const Target target = target_of(path);
  TemporaryFile temporary(target, path);
  if (target.mode && !temporary.set_mode(*target.mode)) fail_with_errno(path);
  if (!temporary.write_all(bytes) || !temporary.flush_and_close() || !temporary.rename_to(target.file)) fail_with_errno(path);
  if (!flush_directory(target.directory)) fail_with_errno(path);
}

}  // namespace impasto
