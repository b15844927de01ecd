// Memory of this process and this machine.
#pragma once

#include <cstdint>
#include <string>

namespace impasto::command {

// The most that this process has had resident, and what it has now (-1 where the system does not say).
std::int64_t peak_memory_bytes();
std::int64_t resident_memory_bytes();

// What could still be allocated without driving the machine, or the container's limit, out of memory; -1 where the system does not say.
std::int64_t available_memory_bytes();

// "1.5 GiB", "12.0 MiB", "340 KiB", "12 bytes".
std::string bytes_text(std::int64_t bytes);

}  // namespace impasto::command
