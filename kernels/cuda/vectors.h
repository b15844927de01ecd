// Dot products, linear combinations, norms, Adam: each vector is read once; sums in double, in an order that depends on sizes alone.
// Enqueued on the stream; none waits. The operations are those of the same names in kernels/backend.h, their arguments already checked.
#pragma once

#include <cuda_runtime.h>

#include <span>

#include "kernels/backend.h"

namespace impasto::cuda {

// Doubles of device memory that a reduction's partial sums take at most; what `partials` below points to.
inline constexpr std::int64_t kPartials = std::int64_t{1} << 18;

void dots(std::span<const Vector> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream);
void combine(std::span<const double> coefficients, std::span<const Vector> terms, Vector out, cudaStream_t stream);
void take_step(Vector direction, const double* squared, double length, double longest, Vector x, double* taken, cudaStream_t stream);
void norms(Vector v, double* partials, double* result, cudaStream_t stream);
void adam(Vector grad, const Backend::AdamParameters& parameters, std::int64_t t, Vector m, Vector v, Vector x, cudaStream_t stream);

// Compact vectors; compact.cu has their layout.
std::int64_t compact_bytes(std::int64_t size);
void compress(Vector v, CompactVector to, cudaStream_t stream);
void dots(std::span<const CompactVector> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream);
void combine(std::span<const double> coefficients, std::span<const CompactVector> terms, double scale, Vector v, Vector out,
             cudaStream_t stream);

}  // namespace impasto::cuda
