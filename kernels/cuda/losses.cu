#include "kernels/cuda/losses.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/reduction.h"
#include "kernels/cuda/variation.cuh"

namespace impasto::cuda {
namespace {

constexpr int kThreads = kReductionThreads;

// Enough to fill the largest devices once; what they leave is added up in one go. Sizes alone decide how many there are.
constexpr std::int64_t kSumBlocks = 1024;

// --- feature distance --------------------------------------------------------------------------------------------------------------
// Elements a thread reads before it writes any.
constexpr int kRun = 4;

template <class Number>
__global__ void distance_runs(const Number* __restrict__ f, const Number* __restrict__ p, std::int64_t size, float scale,
                              Number* __restrict__ grad, double* __restrict__ partials) {
  double sum = 0;
  const std::int64_t stride = std::int64_t{gridDim.x} * (kThreads * kRun);
  for (std::int64_t first = std::int64_t{blockIdx.x} * (kThreads * kRun) + threadIdx.x; first < size; first += stride) {
    // In single precision: differences of close numbers are exact, others off by half a unit in their last place.
    float difference[kRun];
    float before[kRun] = {};
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      const std::int64_t at = first + i * kThreads;
      difference[i] = at < size ? widened(f[at]) - widened(p[at]) : 0.0f;
      if (grad != nullptr && at < size) before[i] = widened(grad[at]);
    }
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      const std::int64_t at = first + i * kThreads;
      if (grad != nullptr && at < size) grad[at] = narrowed<Number>(before[i] + scale * difference[i]);
      const double wide = difference[i];
      sum += wide * wide;
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// --- pictures ----------------------------------------------------------------------------------------------------------------------
// Planes one below the other, in tiles of kTileRows rows, a warp each, of kWarpThreads numbers.
struct Picture {
  unsigned rows;  // of all planes
  int h;
  int w;
};

constexpr int kTileRows = kThreads / kWarpThreads;

Picture picture_of(Shape shape) { return {static_cast<unsigned>(shape.c) * static_cast<unsigned>(shape.h), shape.h, shape.w}; }

// At most `most` blocks.
dim3 grid_of(const Picture& picture, std::int64_t most) {
  const unsigned across = blocks_for(picture.w, kWarpThreads, 32);
  return dim3(across, blocks_for(picture.rows, kTileRows, most / across));
}

// Calls body(row among all planes' rows, row of its plane, column) for the pixels of this thread.
template <class Body>
__device__ void for_each_pixel(const Picture& picture, Body body) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  for (unsigned row = blockIdx.y * kTileRows + threadIdx.x / kWarpThreads; row < picture.rows; row += gridDim.y * kTileRows) {
    const int of_plane = static_cast<int>(row % static_cast<unsigned>(picture.h));
    for (int column = static_cast<int>(blockIdx.x) * kWarpThreads + lane; column < picture.w;
         column += static_cast<int>(gridDim.x) * kWarpThreads) {
      body(std::int64_t{row}, of_plane, column);
    }
  }
}

__global__ void variation_tiles(const float* __restrict__ x, Picture picture, double scale, float* __restrict__ grad,
                                double* __restrict__ partials) {
  double sum = 0;
  for_each_pixel(picture, [&](std::int64_t row, int i, int j) {
    const std::int64_t at = row * picture.w + j;
    const VariationAt variation = variation_at(x + at, i, j, picture.h, picture.w);
    sum += variation.sum;
    if (grad != nullptr) grad[at] = static_cast<float>(grad[at] + scale * variation.slope);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// The index that half-sample mirroring gives i on a line of n: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ...
__device__ std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  // Of one fold at most, without divisions, which would take more time than all else.
  if (i >= -n && i < 2 * n) return i < 0 ? -1 - i : i < n ? i : 2 * n - 1 - i;
  const std::int64_t period = 2 * n;
  const std::int64_t in_period = ((i % period) + period) % period;
  return in_period < n ? in_period : period - 1 - in_period;
}

// [1 4 6 4 1] / 16 over a line of n numbers, `stride` apart, around number i; summed from both ends so that the operator is symmetric to
// the bit.
__device__ float five_taps(const float* line, std::int64_t stride, std::int64_t i, std::int64_t n, std::int64_t step) {
  const auto at = [&](std::int64_t index) { return line[mirrored(index, n) * stride]; };
  return 0.0625f * ((at(i - 2 * step) + at(i + 2 * step)) + 4.0f * (at(i - step) + at(i + step)) + 6.0f * line[i * stride]);
}

__global__ void smooth_along_rows(const float* __restrict__ in, Picture picture, std::int64_t step, float* __restrict__ out) {
  for_each_pixel(picture,
                 [&](std::int64_t row, int, int j) { out[row * picture.w + j] = five_taps(in + row * picture.w, 1, j, picture.w, step); });
}

__global__ void smooth_across_rows(const float* __restrict__ in, Picture picture, std::int64_t step, float* __restrict__ out, float gain,
                                   float* __restrict__ sum) {
  for_each_pixel(picture, [&](std::int64_t row, int i, int j) {
    const std::int64_t at = row * picture.w + j;
    const float value = five_taps(in + (row - i) * picture.w + j, picture.w, i, picture.h, step);
    out[at] = value;
    sum[at] += gain * value;
  });
}

// --- Gram matrices -----------------------------------------------------------------------------------------------------------------
// A block takes kSquareRows rows of kWarpThreads columns: short ones, for many blocks have to share the pieces of a small matrix.
constexpr int kSquareRows = kThreads / kWarpThreads;

__global__ void finish_squares(const float* __restrict__ products, int pieces, int c, double scale, float* __restrict__ g) {
  const int row = static_cast<int>(blockIdx.y) * kSquareRows + static_cast<int>(threadIdx.x) / kWarpThreads;
  const int column = static_cast<int>(blockIdx.x) * kWarpThreads + static_cast<int>(threadIdx.x) % kWarpThreads;
  if (row >= c || column >= c || column < row) return;
  const std::int64_t square = std::int64_t{c} * c;
  const std::int64_t at = std::int64_t{row} * c + column;
  double sum = 0;
#pragma unroll 8
  for (int piece = 0; piece < pieces; ++piece) sum += products[piece * square + at];
  g[at] = g[std::int64_t{column} * c + row] = static_cast<float>(sum * scale);
}

__global__ void round_numbers(const float* __restrict__ from, std::int64_t size, __nv_bfloat16* __restrict__ to) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t at = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; at < size; at += stride) {
    to[at] = narrowed<__nv_bfloat16>(from[at]);
  }
}

// Of what binary16 holds: a factor of 2 below infinity, 2^28 above the least number with all digits.
constexpr int kLargestExponent = 14;

// The power of two that takes `largest` there; 0 for what no power of two does: 0, NaN, infinity.
__device__ int exponent_to_half(double largest) {
  constexpr double kMostOfFloat = 0x1p128;
  return largest > 0 && largest < kMostOfFloat ? kLargestExponent - ilogb(largest) : 0;
}

__global__ void scale_numbers(const float* __restrict__ from, std::int64_t size, const double* __restrict__ norms, double scale,
                              __half* __restrict__ to, float* __restrict__ scalars) {
  const int exponent = exponent_to_half(norms[1]);
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t at = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; at < size; at += stride) {
    to[at] = narrowed<__half>(ldexpf(from[at], exponent));
  }
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  scalars[0] = static_cast<float>(ldexp(scale, -exponent));
  scalars[1] = 1;
}

template <class Number>
void start_distance(Features f, Features p, double scale, Features grad_f, unsigned blocks, double* partials, cudaStream_t stream) {
  launch("starting feature_distance", distance_runs<Number>, dim3(blocks), dim3(kThreads), stream, numbers<Number>(f), numbers<Number>(p),
         f.shape.size(), scale, numbers<Number>(grad_f), partials);
}

}  // namespace

void feature_distance(Storage storage, Features f, Features p, double scale, Features grad_f, double* partials, double* result,
                      cudaStream_t stream) {
  const unsigned blocks = blocks_for(f.shape.size(), kThreads * kRun, kSumBlocks);
  for_storage(storage, start_distance<float>, start_distance<__half>, start_distance<__nv_bfloat16>)(f, p, scale, grad_f, blocks, partials,
                                                                                                     stream);
  add_partials(partials, static_cast<int>(blocks), 1, result, stream);
}

void total_variation(Vector x, Shape shape, double scale, Vector grad, double* partials, double* result, cudaStream_t stream) {
  const Picture picture = picture_of(shape);
  const dim3 grid = grid_of(picture, kSumBlocks);
  launch("starting total_variation", variation_tiles, grid, dim3(kThreads), stream, floats(x), picture, scale, floats(grad), partials);
  add_partials(partials, static_cast<int>(grid.x * grid.y), 1, result, stream);
}

void finish_gram(const float* products, int pieces, int c, double scale, Vector g, cudaStream_t stream) {
  const dim3 grid(blocks_for(c, kWarpThreads), blocks_for(c, kSquareRows));
  launch("starting finish_gram", finish_squares, grid, dim3(kThreads), stream, products, pieces, c, scale, floats(g));
}

void round_to_bfloat16(Vector from, __nv_bfloat16* to, cudaStream_t stream) {
  launch("starting round_to_bfloat16", round_numbers, dim3(blocks_for(from.size, kThreads)), dim3(kThreads), stream, floats(from),
         from.size, to);
}

void scale_to_half(Vector from, const double* norms, double scale, __half* to, float* scalars, cudaStream_t stream) {
  launch("starting scale_to_half", scale_numbers, dim3(blocks_for(from.size, kThreads)), dim3(kThreads), stream, floats(from), from.size,
         norms, scale, to, scalars);
}

void smooth(Vector in, Shape shape, int step, Vector out, double gain, Vector sum, Vector scratch, cudaStream_t stream) {
  const Picture picture = picture_of(shape);
  const dim3 grid = grid_of(picture, 65'535);
  launch("starting smooth along rows", smooth_along_rows, grid, dim3(kThreads), stream, floats(in), picture, step, floats(scratch));
  launch("starting smooth across rows", smooth_across_rows, grid, dim3(kThreads), stream, floats(scratch), picture, step, floats(out), gain,
         floats(sum));
}

}  // namespace impasto::cuda
