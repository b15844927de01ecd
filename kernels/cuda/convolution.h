// 3x3 convolutions with their epilogues: cuDNN's convolution (dnn.h) or, from a picture, our own (image_conv.h), then pooling and masks.
#pragma once

#include <memory>

#include "kernels/backend.h"
#include "kernels/cuda/blas.h"
#include "kernels/cuda/storage.h"
#include "kernels/cuda/tuner.h"

namespace impasto::cuda {

// What plans work with; all borrowed.
struct Context {
  cudaStream_t stream = nullptr;
  Precision precision = Precision::kFp32;
  Tuner* tuner = nullptr;
  Blas* blas = nullptr;
  // kPartials doubles of device memory (vectors.h).
  double* partials = nullptr;
  // Of plans made with this context.
  Prefer prefer = Prefer::kSpeed;

  Storage storage() const { return storage_of(precision); }
};

std::unique_ptr<Filters> load_filters(const Context& context, const FilterSpec& spec);
std::unique_ptr<ConvPlan> plan_convolution(const Context& context, const ConvSpec& spec);

// grad_f += scale * grad_g F, as Backend::gram_gradient; grad_f is rounded once. scratch: gram_gradient_scratch_bytes,
// aligned to 256 bytes.
void add_gram_gradient(const Context& context, const GramTerm& term, Features grad_f, void* scratch);
std::int64_t gram_gradient_scratch_bytes(const Context& context, int channels);

}  // namespace impasto::cuda
