// The errors the library throws. Every message is one line and says what went wrong, the offending value, and what
// would be accepted. Running out of host memory is reported by std::bad_alloc, as everywhere in C++.
#pragma once

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

// Sizes that do not fit together: pixels that do not match width and height, a picture too small for the network.
class ShapeError : public Error {
 public:
  using Error::Error;
};

}  // namespace impasto
