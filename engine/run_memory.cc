#include "engine/run_memory.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "impasto/error.h"

namespace impasto {
namespace {

// Plans made while this lives take little memory.
class LeanPlans {
 public:
  explicit LeanPlans(Backend& backend) : backend_(backend), has_choice_(backend.prefer_memory(true)) {}
  LeanPlans(const LeanPlans&) = delete;
  LeanPlans& operator=(const LeanPlans&) = delete;
  ~LeanPlans() { backend_.prefer_memory(false); }

  bool has_choice() const { return has_choice_; }

 private:
  Backend& backend_;
  bool has_choice_;
};

// The size of `image` where it may not be wider than `width`, for memory plans. The height is rounded up: whoever reduces a larger original
// of it to that width gets no more rows.
Image size_at_most(const Image& image, int width) {
  if (image.width <= width) return {image.width, image.height, {}};
  const std::int64_t rows = (std::int64_t{image.height} * width + image.width - 1) / image.width;
  return {width, static_cast<int>(rows), {}};
}

enum class Room { kEnough, kTooLittle, kPictureTooSmall };

// Whether the device has the memory of a Prepared now. It is taken to see, and given back.
template <class Memory>
Room room_for(Backend& backend, Network& network, Shape image, std::span<const Image> styles, const StyleOptions& options) {
  try {
    const Buffer targets = backend.allocate(StyleTargets::held_bytes(backend, options));
    const std::int64_t peak = StyleTargets::peak_bytes(backend, network, styles, options);
    backend.allocate(std::max(peak, measured<Memory>(backend, network, image, options).bytes()));
    return Room::kEnough;
  } catch (const OutOfMemoryError&) {
    return Room::kTooLittle;
  } catch (const ShapeError&) {
    return Room::kPictureTooSmall;
  }
}

// The error of a run that has no room with the pictures as they are: what was missing, and the widest pictures there would be room for.
template <class Memory>
OutOfMemoryError advised(const OutOfMemoryError& refusal, Backend& backend, Network& network, const Image& content,
                         std::span<const Image> styles, const StyleOptions& options) {
  constexpr int kStep = 16;
  int widest = content.width;
  for (const Image& style : styles) widest = std::max(widest, style.width);
  // Widths in steps: one that is not too wide, and the least known that is. A width that is too small for the network is not too wide.
  int fitting = 0;
  bool is_usable = false;
  int refused = (widest + kStep - 1) / kStep;
  while (refused - fitting > 1) {
    const int middle = fitting + (refused - fitting) / 2;
    std::vector<Image> smaller;
    for (const Image& style : styles) smaller.push_back(size_at_most(style, middle * kStep));
    const Shape image = shape_of(size_at_most(content, middle * kStep));
    const Room room = room_for<Memory>(backend, network, image, smaller, options);
    (room == Room::kTooLittle ? refused : fitting) = middle;
    if (room != Room::kTooLittle) is_usable = room == Room::kEnough;
  }
  std::string message = refusal.what();
  if (is_usable) {
    const Image size = size_at_most(content, fitting * kStep);
    message += "; with pictures at most " + std::to_string(fitting * kStep) + " pixels wide it fits (content " +
               std::to_string(size.width) + "x" + std::to_string(size.height) + ")";
  } else {
    message += "; pictures of any size need more than is free";
  }
  if (std::is_same_v<Memory, RunMemory> && options.optimizer != Optimizer::kAdam) message += "; a smaller history needs less";
  return {message, refusal.needed_bytes, refusal.free_bytes, is_usable ? fitting * kStep : 0};
}

}  // namespace

template <class Memory>
std::unique_ptr<Prepared<Memory>> prepare(Backend& backend, Network& network, const Image& content, std::span<const Image> styles,
                                          const StyleOptions& options) {
  const auto attempt = [&] { return std::make_unique<Prepared<Memory>>(backend, network, shape_of(content), styles, options); };
  std::optional<OutOfMemoryError> refusal;
  try {
    return attempt();
  } catch (const OutOfMemoryError& error) {
    refusal = error;
  }
  // What the attempt had taken is given back by now.
  const LeanPlans lean(backend);
  if (lean.has_choice()) {
    try {
      std::unique_ptr<Prepared<Memory>> prepared = attempt();
      prepared->notices.push_back(std::string(refusal->what()) + "; convolutions that need less memory were taken, which may be slower");
      return prepared;
    } catch (const OutOfMemoryError& error) {
      refusal = error;
    }
  }
  throw advised<Memory>(*refusal, backend, network, content, styles, options);
}

template std::unique_ptr<Prepared<EvaluationMemory>> prepare(Backend& backend, Network& network, const Image& content,
                                                             std::span<const Image> styles, const StyleOptions& options);
template std::unique_ptr<Prepared<RunMemory>> prepare(Backend& backend, Network& network, const Image& content,
                                                      std::span<const Image> styles, const StyleOptions& options);

}  // namespace impasto
