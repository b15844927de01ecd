// Checkpoints whose tensors lie uncompressed in the file: PyTorch's two formats and safetensors.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "weights_converter/checkpoint.h"
#include "weights_converter/input_file.h"

namespace impasto {

// Where a tensor's elements are. Element (i, j, ...) is number first + i stride[0] + j stride[1] + ... of the storage.
struct Placement {
  std::uint64_t storage_offset = 0;    // bytes from the start of the file
  std::uint64_t storage_elements = 0;  // elements of the tensor's type that the storage holds
  std::uint64_t first = 0;
  std::vector<std::int64_t> stride;  // one per dimension
};

// 0 for kOther.
std::uint64_t element_size(ElementType type);

class StoredCheckpoint : public Checkpoint {
 public:
  explicit StoredCheckpoint(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  const InputFile& file() const { return *file_; }
  // Throws WeightError where the name is there already, a size is negative, or an element lies outside the storage or the storage outside
  // the file. Tensors that repeat elements (stride 0) are refused, so that a tensor is never larger than the file.
  void add(Tensor tensor, Placement placement);
  std::vector<float> read(const Tensor& tensor) const override;

 private:
  std::unique_ptr<InputFile> file_;
  std::vector<Placement> placements_;  // of tensors_, in order
};

}  // namespace impasto
