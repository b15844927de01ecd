#include "weights_converter/stored_checkpoint.h"

#include <bit>
#include <cstring>

#include "impasto/error.h"

namespace impasto {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian and so are the machines this runs on");

constexpr std::size_t kMostTensors = 4096;  // VGG19 has 38; keeps the search for repeated names short

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 31;
  const std::uint32_t fraction = half & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

float element(const std::byte* data, std::uint64_t index, ElementType type) {
  std::uint16_t bits16;
  float single;
  double wide;
  switch (type) {
    case ElementType::kFloat16:
      std::memcpy(&bits16, data + 2 * index, 2);
      return half_to_float(bits16);
    case ElementType::kBfloat16:
      std::memcpy(&bits16, data + 2 * index, 2);
      return std::bit_cast<float>(static_cast<std::uint32_t>(bits16) << 16);
    case ElementType::kFloat32:
      std::memcpy(&single, data + 4 * index, 4);
      return single;
    case ElementType::kFloat64:
      std::memcpy(&wide, data + 8 * index, 8);
      return static_cast<float>(wide);
    case ElementType::kUint8:
      return static_cast<float>(std::to_integer<unsigned>(data[index]));
    case ElementType::kOther:
      break;
  }
  return 0;
}

}  // namespace

std::uint64_t element_size(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
    case ElementType::kBfloat16:
      return 2;
    case ElementType::kFloat32:
      return 4;
    case ElementType::kFloat64:
      return 8;
    case ElementType::kUint8:
      return 1;
    case ElementType::kOther:
      break;
  }
  return 0;
}

void StoredCheckpoint::add(Tensor tensor, Placement placement) {
  const auto refuse = [&](const std::string& what) {
    return WeightError(file_->path() + ": tensor " + printable(tensor.name) + " " + what);
  };
  if (tensors_.size() >= kMostTensors) throw refuse("is one too many: no checkpoint of VGG19 has " + std::to_string(kMostTensors));
  if (find(tensor.name)) throw refuse("is there twice");
  if (placement.stride.size() != tensor.shape.size()) throw refuse("has another number of strides than of sizes");
  std::uint64_t elements = 1;
  std::uint64_t last = placement.first;
  bool overflow = false;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] < 0 || placement.stride[i] < 0) throw refuse("has a negative size or stride");
    const auto size = static_cast<std::uint64_t>(tensor.shape[i]);
    const auto stride = static_cast<std::uint64_t>(placement.stride[i]);
    std::uint64_t reach = 0;
    overflow |= __builtin_mul_overflow(elements, size, &elements);
    overflow |= size > 0 && __builtin_mul_overflow(size - 1, stride, &reach);
    overflow |= __builtin_add_overflow(last, reach, &last);
  }
  if (overflow) throw refuse("has an impossible shape, " + shape_text(tensor.shape));
  if (elements > placement.storage_elements || (elements > 0 && last >= placement.storage_elements)) {
    throw refuse("of shape " + shape_text(tensor.shape) + " does not fit its storage of " + std::to_string(placement.storage_elements) +
                 " elements");
  }
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(placement.storage_elements, element_size(tensor.type), &bytes) || placement.storage_offset > file_->size() ||
      bytes > file_->size() - placement.storage_offset) {
    throw refuse("lies beyond the end of the file: it is damaged or cut short");
  }
  tensors_.push_back(std::move(tensor));
  placements_.push_back(std::move(placement));
}

std::vector<float> StoredCheckpoint::read(const Tensor& tensor) const {
  const Placement& placement = placements_.at(static_cast<std::size_t>(&tensor - tensors_.data()));
  const std::uint64_t width = element_size(tensor.type);
  if (width == 0) throw WeightError(file_->path() + ": tensor " + printable(tensor.name) + " is not of a floating-point type");
  std::uint64_t elements = 1;
  bool contiguous = true;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    contiguous &= tensor.shape[i] <= 1 || static_cast<std::uint64_t>(placement.stride[i]) == elements;
    elements *= static_cast<std::uint64_t>(tensor.shape[i]);
  }
  if (elements == 0) return {};

  std::vector<float> values(elements);
  if (contiguous) {
    const std::vector<std::byte> bytes = file_->read(placement.storage_offset + placement.first * width, elements * width);
    for (std::uint64_t i = 0; i < elements; ++i) values[i] = element(bytes.data(), i, tensor.type);
    return values;
  }
  const std::vector<std::byte> bytes = file_->read(placement.storage_offset, placement.storage_elements * width);
  std::vector<std::int64_t> position(tensor.shape.size(), 0);
  std::uint64_t index = placement.first;
  for (float& value : values) {
    value = element(bytes.data(), index, tensor.type);
    for (std::size_t i = position.size(); i-- > 0;) {
      index += static_cast<std::uint64_t>(placement.stride[i]);
      if (++position[i] < tensor.shape[i]) break;
      index -= static_cast<std::uint64_t>(tensor.shape[i] * placement.stride[i]);
      position[i] = 0;
    }
  }
  return values;
}

}  // namespace impasto
