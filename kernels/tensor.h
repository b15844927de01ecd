// The nouns of the seam: what backends compute on. Views borrow; Buffer owns.
#pragma once

#include <cstdint>
#include <utility>

namespace impasto {

// Channels, rows, columns.
struct Shape {
  int c = 0;
  int h = 0;
  int w = 0;

  std::int64_t plane() const { return std::int64_t{h} * w; }
  std::int64_t size() const { return c * plane(); }
  bool operator==(const Shape&) const = default;
};

// What 2x2 pooling with stride 2 leaves: an odd last row or column is dropped.
inline Shape pooled(Shape shape) { return {shape.c, shape.h / 2, shape.w / 2}; }

// Borrowed flat numbers in backend memory, in the precision the backend gives to images, Grams and the optimiser (float32 or
// better). A picture is a Vector of 3 h w numbers, channel by channel (CHW).
struct Vector {
  void* data = nullptr;
  std::int64_t size = 0;
};

// Borrowed flat numbers rounded to 8 bits each, see Backend::compress. Layout is the backend's own; data holds compact_bytes(size)
// bytes.
struct CompactVector {
  void* data = nullptr;
  std::int64_t size = 0;
};

// Borrowed activation of one layer. Layout and precision are the backend's own; data holds features_bytes(shape) bytes.
struct Features {
  void* data = nullptr;
  Shape shape;
};

// Borrowed record of what a gradient needs to know of the forward pass: which elements a ReLU let through, which of four
// max pooling chose. Layout is the backend's own; data holds mask_bytes(shape) bytes. data == nullptr: do not record.
struct Mask {
  void* data = nullptr;
  Shape shape;
};

// Owned backend memory; frees itself. Move-only.
class Buffer {
 public:
  using Free = void (*)(void* data, std::int64_t bytes);

  Buffer() = default;
  Buffer(void* data, std::int64_t bytes, Free free) : data_(data), bytes_(bytes), free_(free) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) free_(data_, bytes_);
  }

  void* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(free_, other.free_);
  }

  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
  Free free_ = nullptr;
};

}  // namespace impasto
