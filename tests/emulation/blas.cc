// Stands in for cuBLAS under kernels/cuda/blas.h: the same product by loops, of operands rounded as tensor cores take them.
#include "kernels/cuda/blas.h"

#include <cstddef>
#include <vector>

#include "tests/emulation/fault_gate.h"
#include "tests/emulation/rounding.h"

namespace impasto::cuda {
namespace {

class Loops : public Blas {
 public:
  explicit Loops(Precision precision) : precision_(precision) {}

  void multiply(const Product& product) override {
    emulation::pass_library_call("cuBLAS product");
    std::vector<float> sums(static_cast<std::size_t>(product.m));
    for (int problem = 0; problem < product.batch; ++problem) {
      const std::vector<float> a = read(product.a + problem * product.stride_a, product.transpose_a, product.m, product.k, product.lda);
      const std::vector<float> b = read(product.b + problem * product.stride_b, product.transpose_b, product.k, product.n, product.ldb);
      float* c = product.c + problem * product.stride_c;
      for (int j = 0; j < product.n; ++j) {
        sums.assign(sums.size(), 0.0f);
        for (int l = 0; l < product.k; ++l) {
          const float factor = b[static_cast<std::size_t>(j) * product.k + l];
          const float* column_of_a = a.data() + static_cast<std::size_t>(l) * product.m;
          for (int i = 0; i < product.m; ++i) sums[i] += factor * column_of_a[i];
        }
        float* column = c + std::int64_t{j} * product.ldc;
        // What is there counts only with a beta: it may be uninitialised.
        for (int i = 0; i < product.m; ++i) column[i] = product.alpha * sums[i] + (product.beta == 0 ? 0.0f : product.beta * column[i]);
      }
    }
  }

 private:
  // op(matrix), rows x columns, column by column, as the product takes its numbers.
  std::vector<float> read(const float* matrix, bool transposed, int rows, int columns, int ld) const {
    std::vector<float> made(static_cast<std::size_t>(rows) * columns);
    for (int column = 0; column < columns; ++column) {
      for (int row = 0; row < rows; ++row) {
        const float value = matrix[transposed ? std::int64_t{row} * ld + column : std::int64_t{column} * ld + row];
        made[static_cast<std::size_t>(column) * rows + row] = precision_ == Precision::kTf32 ? emulation::tf32(value) : value;
      }
    }
    return made;
  }

  Precision precision_;
};

}  // namespace

std::unique_ptr<Blas> make_blas(cudaStream_t, Precision precision) {
  emulation::pass_library_call("cublasCreate");
  return std::make_unique<Loops>(precision);
}

}  // namespace impasto::cuda
