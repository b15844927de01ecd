// A published checkpoint opened for reading: which tensors it has, and their values on request. Every format is behind this one class.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace impasto {

enum class ElementType { kFloat16, kBfloat16, kFloat32, kFloat64, kUint8, kOther };

struct Tensor {
  std::string name;
  ElementType type = ElementType::kOther;  // kOther: integers and the like, which no network needs; they cannot be read
  std::vector<std::int64_t> shape{};
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  // Names are unique.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  // Null where there is none of that name.
  const Tensor* find(const std::string& name) const;
  // Values in row-major order, converted to float32 (bytes to 0..255). Costs memory for this tensor alone. Throws WeightError, IoError.
  virtual std::vector<float> read(const Tensor& tensor) const = 0;

 protected:
  std::vector<Tensor> tensors_;
};

// Tells the format by the file's first bytes: PyTorch (zip and legacy), safetensors, Keras HDF5. Throws IoError where the file cannot be
// read, WeightError where it is none of these, damaged, cut short, or a pickle that asks for anything but tensors.
std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path);

// "64 x 3 x 3 x 3"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace impasto
