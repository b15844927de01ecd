// The specification of the seam: every operation of kernels/backend.h written slowly and obviously, in float or double.
// Finite differences prove the double one (tests/gradient); the double one proves all other backends (tests/kernel).
//
// Layout: Vector and Features are plain arrays of T, Features as CHW. Mask is one byte per element of its shape, 1 where the
// gradient passes and 0 elsewhere, for ReLU, max pooling and both together alike. CompactVector is an array of T too, of rounded numbers.
// Everything runs at once in the calling thread. Eigen's matrix products take temporary blocks from the heap.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace impasto {

template <class T>
class ReferenceBackend final : public Backend {
 public:
  std::string description() const override;

  Buffer allocate(std::int64_t bytes) override;
  std::int64_t vector_bytes(std::int64_t size) const override;
  std::int64_t compact_bytes(std::int64_t size) const override;
  std::int64_t features_bytes(Shape shape) const override;
  std::int64_t mask_bytes(Shape shape) const override;
  void upload(std::span<const double> host, Vector vector) override;
  void upload(std::span<const double> host, Features features) override;
  void download(Vector vector, std::span<double> host) override;
  void download(Features features, std::span<double> host) override;
  void fetch(const double* results, std::span<double> host) override;

  std::unique_ptr<Filters> load_filters(const FilterSpec& spec) override;
  std::unique_ptr<ConvPlan> plan_conv3x3(const ConvSpec& spec) override;
  bool prefer_memory(bool) override { return false; }
  void relu(Features in, Features out, Mask mask) override;
  void relu_gradient(Mask mask, Features grad) override;
  void pool2x2(PoolKind kind, Features in, Features out, Mask mask) override;
  void pool2x2_gradient(PoolKind kind, Features grad_out, Mask mask, Features grad_in) override;
  void fill_zero(Features features) override;

  void gram(Features f, Vector g, void* scratch) override;
  void gram_gradient(const GramTerm& term, Features grad_f, void* scratch) override;
  std::int64_t gram_scratch_bytes(Shape shape) const override;
  void feature_distance(Features f, Features p, double scale, Features grad_f, double* result) override;
  void total_variation(Vector x, Shape shape, double scale, Vector grad, double* result) override;

  void copy(Vector from, Vector to) override;
  void dots(std::span<const Vector> many, std::span<const Vector> few, double* result) override;
  void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out) override;
  void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken) override;
  void compress(Vector v, CompactVector to) override;
  void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* result) override;
  void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out) override;
  void norms(Vector v, double* result) override;
  void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch) override;
  void adam(Vector grad, const AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x) override;
};

// T: float or double.
template <class T>
std::unique_ptr<Backend> make_reference_backend();

}  // namespace impasto
