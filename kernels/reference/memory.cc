// Memory and transfers.
#include <algorithm>
#include <new>
#include <string>
#include <type_traits>

#include "impasto/error.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/shape_checks.h"

namespace impasto {
namespace {

// One cache line: more than any element type needs.
constexpr std::align_val_t kAlignment{64};

}  // namespace

template <class T>
std::string ReferenceBackend<T>::description() const {
  return std::is_same_v<T, double> ? "reference, float64, 1 thread" : "reference, float32, 1 thread";
}

template <class T>
Buffer ReferenceBackend<T>::allocate(std::int64_t bytes) {
  void* data = ::operator new(static_cast<std::size_t>(bytes), kAlignment, std::nothrow);
  if (data == nullptr) {
    throw OutOfMemoryError("out of memory: " + std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB are needed and cannot be had", bytes,
                           -1);
  }
  return Buffer(data, bytes, [](void* allocated, std::int64_t) { ::operator delete(allocated, kAlignment); });
}

template <class T>
std::int64_t ReferenceBackend<T>::compact_bytes(std::int64_t size) const {
  return vector_bytes(size);
}

template <class T>
std::int64_t ReferenceBackend<T>::vector_bytes(std::int64_t size) const {
  return size * std::int64_t{sizeof(T)};
}

template <class T>
std::int64_t ReferenceBackend<T>::features_bytes(Shape shape) const {
  return shape.size() * std::int64_t{sizeof(T)};
}

template <class T>
std::int64_t ReferenceBackend<T>::mask_bytes(Shape shape) const {
  return shape.size();
}

template <class T>
void ReferenceBackend<T>::upload(std::span<const double> host, Vector vector) {
  checks::require_size("upload", "host", std::ssize(host), vector.size);
  std::copy(host.begin(), host.end(), static_cast<T*>(vector.data));
}

template <class T>
void ReferenceBackend<T>::upload(std::span<const double> host, Features features) {
  upload(host, Vector{features.data, features.shape.size()});
}

template <class T>
void ReferenceBackend<T>::download(Vector vector, std::span<double> host) {
  checks::require_size("download", "host", std::ssize(host), vector.size);
  std::copy_n(static_cast<const T*>(vector.data), vector.size, host.begin());
}

template <class T>
void ReferenceBackend<T>::download(Features features, std::span<double> host) {
  download(Vector{features.data, features.shape.size()}, host);
}

template <class T>
void ReferenceBackend<T>::fetch(const double* results, std::span<double> host) {
  std::copy_n(results, host.size(), host.begin());
}

template <class T>
std::unique_ptr<Backend> make_reference_backend() {
  return std::make_unique<ReferenceBackend<T>>();
}

template std::unique_ptr<Backend> make_reference_backend<float>();
template std::unique_ptr<Backend> make_reference_backend<double>();

// Each file of this folder instantiates the members it defines.
template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace impasto
