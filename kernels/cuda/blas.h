// The matrix products, by cuBLAS: a thin layer, without decisions of ours, that the emulation replaces by loops.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

#include "impasto/precision.h"
#include "kernels/cuda/storage.h"

namespace impasto::cuda {

// As cublasGemmStridedBatchedEx has them: column-major, C = alpha op(A) op(B) + beta C, op(A) m x k, op(B) k x n, `batch` problems, stride
// elements apart. Sums, alpha and beta are float32.
struct Product {
  bool transpose_a = false;
  bool transpose_b = false;
  int m = 0;
  int n = 0;
  int k = 0;
  // Of a and b; of c.
  Storage operands = Storage::kFloat32;
  Storage results = Storage::kFloat32;
  float alpha = 1;
  // Device memory with alpha and beta as they are when the product begins; nullptr: those of here.
  const float* scalars = nullptr;
  const void* a = nullptr;
  int lda = 0;
  std::int64_t stride_a = 0;
  const void* b = nullptr;
  int ldb = 0;
  std::int64_t stride_b = 0;
  float beta = 0;
  void* c = nullptr;
  int ldc = 0;
  std::int64_t stride_c = 0;
  int batch = 1;
};

class Blas {
 public:
  virtual ~Blas() = default;
  // Enqueued on the stream; does not wait. Throws DeviceError.
  virtual void multiply(const Product& product) = 0;
};

// precision: of products of float32 operands, kTf32 or float32 proper. Throws DeviceError.
std::unique_ptr<Blas> make_blas(cudaStream_t stream, Precision precision);

}  // namespace impasto::cuda
