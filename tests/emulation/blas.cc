// Stands in for cuBLAS under kernels/cuda/blas.h: the same product by loops.
#include "kernels/cuda/blas.h"

#include <cstddef>
#include <vector>

#include "tests/emulation/fault_gate.h"

namespace impasto::cuda {
namespace {

class Loops : public Blas {
 public:
  explicit Loops(cudaStream_t stream) : stream_(stream) {}

  void multiply(const Product& product) override {
    emulation::enqueue_library_call("cuBLAS product", stream_, [product] { compute(product); });
  }

 private:
  static void compute(const Product& product) {
    std::vector<float> sums(static_cast<std::size_t>(product.m));
    for (int problem = 0; problem < product.batch; ++problem) {
      const float* a = product.a + problem * product.stride_a;
      const float* b = product.b + problem * product.stride_b;
      float* c = product.c + problem * product.stride_c;
      for (int j = 0; j < product.n; ++j) {
        sums.assign(sums.size(), 0.0f);
        for (int l = 0; l < product.k; ++l) {
          const float factor = product.transpose_b ? b[std::int64_t{l} * product.ldb + j] : b[std::int64_t{j} * product.ldb + l];
          for (int i = 0; i < product.m; ++i) {
            sums[i] += factor * (product.transpose_a ? a[std::int64_t{i} * product.lda + l] : a[std::int64_t{l} * product.lda + i]);
          }
        }
        float* column = c + std::int64_t{j} * product.ldc;
        // What is there counts only with a beta: it may be uninitialised.
        for (int i = 0; i < product.m; ++i) column[i] = product.alpha * sums[i] + (product.beta == 0 ? 0.0f : product.beta * column[i]);
      }
    }
  }

  cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<Blas> make_blas(cudaStream_t stream) {
  emulation::pass_library_call("cublasCreate");
  return std::make_unique<Loops>(stream);
}

}  // namespace impasto::cuda
