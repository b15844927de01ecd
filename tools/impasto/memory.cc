#include "tools/impasto/memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace impasto::command {

namespace {

// The number after `key` in a file of "key number" lines; -1 where there is none.
std::int64_t field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return -1;
}

std::int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value ? value : -1;
}

// Of the control group (version 2) that this process sees as its root: a container's limit. "max" reads as no number.
std::int64_t available_in_container() {
  const std::string group = "/sys/fs/cgroup/";
  const std::int64_t limit = number_in(group + "memory.max");
  const std::int64_t used = number_in(group + "memory.current");
  if (limit < 0 || used < 0) return -1;
  // File pages that the kernel gives up first count as used.
  const std::int64_t droppable = std::max<std::int64_t>(0, field(group + "memory.stat", "inactive_file"));
  return std::max<std::int64_t>(0, limit - used + droppable);
}

}  // namespace

std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t resident_memory_bytes() {
  const std::int64_t kibibytes = field("/proc/self/status", "VmRSS:");
  return kibibytes < 0 ? -1 : kibibytes * 1024;
}

std::int64_t available_memory_bytes() {
  const std::int64_t memory = field("/proc/meminfo", "MemAvailable:");
  const std::int64_t swap = field("/proc/meminfo", "SwapFree:");
  const std::int64_t machine = memory < 0 ? -1 : (memory + std::max<std::int64_t>(0, swap)) * 1024;
  const std::int64_t container = available_in_container();
  if (machine < 0 || container < 0) return std::max(machine, container);
  return std::min(machine, container);
}

std::string bytes_text(std::int64_t bytes) {
  const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace impasto::command
