#include "kernels/cuda/reduction.h"

#include "kernels/cuda/launch.h"

namespace impasto::cuda {
namespace {

// A block takes 8 columns, 64 bytes of each row, and 32 rows at a time: a single column is still read by 32 threads.
constexpr int kColumns = 8;
constexpr int kRows = 32;

__global__ void add_rows(const double* partials, int blocks, std::int64_t width, double* result) {
  __shared__ double sums[kRows][kColumns];
  const int row = static_cast<int>(threadIdx.x) / kColumns;
  const int lane = static_cast<int>(threadIdx.x) % kColumns;
  const std::int64_t column = std::int64_t{blockIdx.x} * kColumns + lane;
  double sum = 0;
  if (column < width) {
    for (int block = row; block < blocks; block += kRows) sum += partials[block * width + column];
  }
  sums[row][lane] = sum;
  __syncthreads();
  if (row == 0 && column < width) {
    for (int other = 1; other < kRows; ++other) sum += sums[other][lane];
    result[column] = sum;
  }
}

}  // namespace

void add_partials(const double* partials, int blocks, std::int64_t width, double* result, cudaStream_t stream) {
  if (width == 0) return;
  const dim3 grid(static_cast<unsigned>((width + kColumns - 1) / kColumns));
  launch("adding partial sums", add_rows, grid, dim3(kColumns * kRows), stream, partials, blocks, width, result);
}

}  // namespace impasto::cuda
