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
  Loops(cudaStream_t stream, Precision precision) : stream_(stream), precision_(precision) {}

  void multiply(const Product& product) override {
    emulation::enqueue_library_call("cuBLAS product", stream_, [product, this] { compute(product); });
  }

 private:
  void compute(Product product) const {
    if (product.scalars != nullptr) {
      product.alpha = product.scalars[0];
      product.beta = product.scalars[1];
    }
    std::vector<float> sums(static_cast<std::size_t>(product.m));
    for (int problem = 0; problem < product.batch; ++problem) {
      const std::vector<float> a =
          read(product.a, product.operands, problem * product.stride_a, product.transpose_a, product.m, product.k, product.lda);
      const std::vector<float> b =
          read(product.b, product.operands, problem * product.stride_b, product.transpose_b, product.k, product.n, product.ldb);
      for (int j = 0; j < product.n; ++j) {
        sums.assign(sums.size(), 0.0f);
        for (int l = 0; l < product.k; ++l) {
          const float factor = b[static_cast<std::size_t>(j) * product.k + l];
          const float* column_of_a = a.data() + static_cast<std::size_t>(l) * product.m;
          for (int i = 0; i < product.m; ++i) sums[i] += factor * column_of_a[i];
        }
        const std::int64_t column = problem * product.stride_c + std::int64_t{j} * product.ldc;
        for (int i = 0; i < product.m; ++i) {
          // What is there counts only with a beta: it may be uninitialised.
          const float before =
              product.beta == 0 ? 0.0f : product.beta * emulation::operand(product.c, product.results, Precision::kFp32, column + i);
          emulation::store(product.alpha * sums[i] + before, product.c, product.results, column + i);
        }
      }
    }
  }

  // op(matrix), rows x columns, column by column, as the product takes its numbers.
  std::vector<float> read(const void* numbers, Storage storage, std::int64_t first, bool transposed, int rows, int columns, int ld) const {
    std::vector<float> made(static_cast<std::size_t>(rows) * columns);
    std::size_t to = 0;
    for (int column = 0; column < columns; ++column) {
      for (int row = 0; row < rows; ++row) {
        const std::int64_t at = first + (transposed ? std::int64_t{row} * ld + column : std::int64_t{column} * ld + row);
        made[to++] = emulation::operand(numbers, storage, precision_, at);
      }
    }
    return made;
  }

  cudaStream_t stream_;
  Precision precision_;
};

}  // namespace

std::unique_ptr<Blas> make_blas(cudaStream_t stream, Precision precision) {
  emulation::pass_library_call("cublasCreate");
  return std::make_unique<Loops>(stream, precision);
}

}  // namespace impasto::cuda
