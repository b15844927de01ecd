#include "weights_converter/checkpoint.h"

#include <algorithm>
#include <cstring>

#include "impasto/error.h"
#include "weights_converter/input_file.h"
#include "weights_converter/keras.h"
#include "weights_converter/safetensors.h"
#include "weights_converter/torch_checkpoint.h"

namespace impasto {

const Tensor* Checkpoint::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

std::unique_ptr<Checkpoint> open_checkpoint(const std::string& path) {
  auto file = std::make_unique<InputFile>(path);
  std::byte head[9] = {};
  file->read(0, std::span(head, std::min<std::uint64_t>(sizeof(head), file->size())));
  const auto begins = [&head](const char* magic, std::size_t size) { return std::memcmp(head, magic, size) == 0; };

  if (begins("PK\x03\x04", 4)) return read_torch_zip(std::move(file));
  if (begins("\x89HDF\r\n\x1a\n", 8)) return read_keras(path);
  if (begins("\x80", 1)) return read_torch_legacy(std::move(file));
  if (head[8] == std::byte{'{'}) return read_safetensors(std::move(file));
  // A pickle of protocol 0 or 1 has no header; read as one, it is refused with the name of what it asks for.
  if (begins("c", 1) || begins("(", 1)) return read_torch_legacy(std::move(file));
  throw WeightError(path + " is not a checkpoint: expected a PyTorch .pth or .bin, a .safetensors or a Keras .h5 file");
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

}  // namespace impasto
