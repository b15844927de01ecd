// The errors the library throws. Every message is one line and says what went wrong, the offending value, and what
// would be accepted. Where the pictures and other small things of the host find no memory, std::bad_alloc says so, as everywhere in C++.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace impasto {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An option has a value that cannot be used: a layer that does not exist, a weight that is not finite.
class OptionError : public Error {
 public:
  using Error::Error;
};

// A file cannot be read, decoded or written. The message names the file.
class IoError : public Error {
 public:
  using Error::Error;
};

// A weight file is missing, damaged, of another architecture, or holds values that are not finite.
class WeightError : public Error {
 public:
  using Error::Error;
};

// The device asked for cannot be had, or failed.
class DeviceError : public Error {
 public:
  using Error::Error;
};

// The device computed on (the CPU's memory too) has less memory free than is needed. The message says how much, and of a run what would
// fit.
class OutOfMemoryError : public DeviceError {
 public:
  OutOfMemoryError(const std::string& message, std::int64_t needed, std::int64_t free, int fitting_width = 0)
      : DeviceError(message), needed_bytes(needed), free_bytes(free), max_width(fitting_width) {}

  std::int64_t needed_bytes;
  // -1 where the device does not say.
  std::int64_t free_bytes;
  // The run would have room if no picture, content or style, were wider than this many pixels, a multiple of 16; 0: no such width is known.
  int max_width;
};

// Sizes that do not fit together: pixels that do not match width and height, a picture too small for the network.
class ShapeError : public Error {
 public:
  using Error::Error;
};

}  // namespace impasto
