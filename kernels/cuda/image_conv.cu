#include "kernels/cuda/image_conv.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/reduction.h"
#include "kernels/cuda/variation.cuh"

namespace impasto::cuda {
namespace {

constexpr int kThreads = kReductionThreads;
constexpr int kWarps = kThreads / kWarpThreads;
constexpr int kPlanes = 3;
constexpr int kTaps = 9 * kPlanes;

// Blocks in x are tiles of the picture, row by row of tiles.
struct Tiling {
  int h;
  int w;
  int across;  // tiles side by side

  __device__ int row(int tile_rows) const { return static_cast<int>(blockIdx.x) / across * tile_rows; }
  __device__ int column(int tile_columns) const { return static_cast<int>(blockIdx.x) % across * tile_columns; }
  __device__ bool inside(int y, int x) const { return y >= 0 && y < h && x >= 0 && x < w; }
};

struct Grid {
  Tiling tiling;
  unsigned tiles;
};

Grid grid_of(Shape shape, int tile_rows, int tile_columns) {
  const std::int64_t down = (std::int64_t{shape.h} + tile_rows - 1) / tile_rows;
  const std::int64_t across = (std::int64_t{shape.w} + tile_columns - 1) / tile_columns;
  return {{shape.h, shape.w, static_cast<int>(across)}, static_cast<unsigned>(down * across)};
}

// --- forward -----------------------------------------------------------------------------------------------------------------------
// A block takes a tile of pixels and kWords * 32 channels. Each warp takes a row of the tile, each lane the channels of its number in
// kWords words of the mask, whose filters it keeps in registers: per multiplication next to nothing is read from shared memory, and that
// the same for all lanes. What is written lies in whole lines of 128 bytes.
constexpr int kWords = 2;
constexpr int kForwardRows = kWarps;
constexpr int kForwardColumns = 64;
// Pixels of a row that are summed at a time. Their masks are written by as many lanes as they have words.
constexpr int kRun = 8;
// A multiple of 16 bytes, so that a run's inputs are read 16 bytes at a time.
constexpr int kLine = kForwardColumns + 4;
static_assert(kForwardColumns % kRun == 0 && kRun * kWords <= kWarpThreads);

template <class Number>
__global__ void __launch_bounds__(kThreads)
    forward_tiles(const float* __restrict__ picture, Tiling tiling, const float* __restrict__ weight, const float* __restrict__ bias,
                  int channels, bool rectify, Number* __restrict__ out, std::uint32_t* __restrict__ mask, int words) {
  alignas(16) __shared__ float tile[kPlanes][kForwardRows + 2][kLine];
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % kWarpThreads;
  const int first_word = static_cast<int>(blockIdx.y) * kWords;
  const int y0 = tiling.row(kForwardRows);
  const int x0 = tiling.column(kForwardColumns);

  for (int i = thread; i < kPlanes * (kForwardRows + 2) * kLine; i += kThreads) {
    const int plane = i / (kLine * (kForwardRows + 2));
    const int row = i / kLine % (kForwardRows + 2);
    const int column = i % kLine;
    const int y = y0 + row - 1;
    const int x = x0 + column - 1;
    tile[plane][row][column] = tiling.inside(y, x) ? picture[(std::int64_t{plane} * tiling.h + y) * tiling.w + x] : 0.0f;
  }
  float filter[kWords][kTaps];
  float start[kWords];
#pragma unroll
  for (int k = 0; k < kWords; ++k) {
    const int channel = (first_word + k) * kWarpThreads + lane;
    const bool inside = channel < channels;
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) filter[k][tap] = inside ? weight[std::int64_t{tap} * channels + channel] : 0.0f;
    start[k] = inside ? bias[channel] : 0.0f;
  }
  __syncthreads();

  const int row = thread / kWarpThreads;
  const int y = y0 + row;
  if (y >= tiling.h) return;
  for (int column = 0; column < kForwardColumns && x0 + column < tiling.w; column += kRun) {
    float sum[kRun][kWords];
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
#pragma unroll
      for (int k = 0; k < kWords; ++k) sum[i][k] = start[k];
    }
#pragma unroll
    for (int line = 0; line < kTaps / 3; ++line) {
      float input[kRun + 2];
#pragma unroll
      for (int i = 0; i < kRun + 2; ++i) input[i] = tile[line / 3][row + line % 3][column + i];
#pragma unroll
      for (int kx = 0; kx < 3; ++kx) {
#pragma unroll
        for (int i = 0; i < kRun; ++i) {
#pragma unroll
          for (int k = 0; k < kWords; ++k) sum[i][k] += filter[k][line * 3 + kx] * input[i + kx];
        }
      }
    }
    const std::int64_t first = std::int64_t{y} * tiling.w + x0 + column;
    const int count = tiling.w - x0 - column;
    std::uint32_t mine = 0;
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
#pragma unroll
      for (int k = 0; k < kWords; ++k) {
        const float value = rectify && sum[i][k] <= 0 ? 0.0f : sum[i][k];
        const int channel = (first_word + k) * kWarpThreads + lane;
        if (i < count && channel < channels) out[(first + i) * channels + channel] = narrowed<Number>(value);
        if (mask == nullptr) continue;
        const std::uint32_t passed = __ballot_sync(kWholeWarp, channel < channels && value > 0);
        if (lane == i * kWords + k) mine = passed;
      }
    }
    if (mask == nullptr) continue;
    const int pixel = lane / kWords;
    const int word = first_word + lane % kWords;
    if (pixel < kRun && pixel < count && word < words) mask[(first + pixel) * words + word] = mine;
  }
}

// --- gradient ----------------------------------------------------------------------------------------------------------------------
// A block takes a tile of pixels and goes through the channels kChunk at a time, which it turns around on their way into shared memory:
// there lanes are pixels side by side. A thread has a strip of kStrip pixels, one below the other, in all planes, and a share of the
// channels of each chunk: what it reads of a row serves three pixels. The shares are added up at the end, in order.
constexpr int kGradientRows = 16;
constexpr int kGradientColumns = kWarpThreads;
constexpr int kStrip = 8;
constexpr int kStrips = kGradientRows / kStrip;
constexpr int kShares = kWarps / kStrips;
constexpr int kChunk = 16;
constexpr int kShare = kChunk / kShares;
// With the border.
constexpr int kStageRows = kGradientRows + 2;
constexpr int kStageColumns = kGradientColumns + 2;
constexpr int kStagePixels = kStageRows * kStageColumns;
// From channel to channel, in numbers: 6 more than a multiple of 8, so that 4 channels of 8 pixels, which a warp writes at once, lie in 32
// different banks, whichever of each four channels it is.
constexpr int kStagePlane = kStagePixels + 2;
static_assert(kStagePlane % 8 == 6);
// From filter to filter, a multiple of 16 bytes.
constexpr int kFilter = kTaps + 1;
constexpr int kTilePixels = kGradientRows * kGradientColumns;

Grid gradient_grid(Shape shape) { return grid_of(shape, kGradientRows, kGradientColumns); }
static_assert(kShares * kPlanes * kTilePixels <= kChunk * kStagePlane);

template <class Number>
struct alignas(4 * sizeof(Number)) Quad {
  Number of[4];
};

// A chunk is carried into shared memory by four channels at a time, neighbouring threads taking those of one pixel. Each thread reads
// kLoads of its pixels before it writes any, to keep the memory busy.
constexpr int kQuads = kChunk / 4;
constexpr int kStagedAtOnce = kThreads / kQuads;
constexpr int kLoads = 5;
constexpr unsigned kAllPass = 0xf;
// On a multiprocessor whose shared memory allows it: some read while others multiply. Bounds the registers.
constexpr int kBlocks = 3;

// Channels `channel` .. `channel` + 3 of a pixel. kWhole: the number of channels is a multiple of 4.
template <bool kWhole, class Number>
__device__ Quad<Number> quad_at(const Number* __restrict__ grad, std::int64_t pixel, int channel, int channels) {
  const Number* from = grad + pixel * channels + channel;
  Quad<Number> quad;
  if constexpr (kWhole) {
    quad = *reinterpret_cast<const Quad<Number>*>(from);
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) quad.of[i] = channel + i < channels ? from[i] : narrowed<Number>(0);
  }
  return quad;
}

// Of the picture, to be added to its gradient.
struct Variation {
  const float* picture;  // nullptr: nothing
  double scale;
  double* partials;  // the tiles' sums
};

template <class Number, bool kWhole>
__global__ void __launch_bounds__(kThreads, kBlocks)
    gradient_tiles(const Number* __restrict__ grad, const std::uint32_t* __restrict__ mask, Tiling tiling, const float* __restrict__ weight,
                   int channels, int words, Variation variation, float* __restrict__ grad_picture) {
  __shared__ float stage[kChunk * kStagePlane];
  alignas(16) __shared__ float filters[kChunk][kFilter];
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % kWarpThreads;
  const int strip = thread / kWarpThreads % kStrips * kStrip;
  const int share = thread / kWarpThreads / kStrips;
  const int quad = thread % kQuads * 4;
  const int y0 = tiling.row(kGradientRows);
  const int x0 = tiling.column(kGradientColumns);

  float sum[kPlanes][kStrip] = {};
  for (int chunk = 0; chunk < channels; chunk += kChunk) {
    // The chunk before has been read.
    __syncthreads();
    for (int i = thread; i < kChunk * kTaps; i += kThreads) {
      const int channel = chunk + i % kChunk;
      filters[i % kChunk][i / kChunk] = channel < channels ? weight[std::int64_t{i / kChunk} * channels + channel] : 0.0f;
    }
    for (int first = thread / kQuads; first < kStagePixels; first += kLoads * kStagedAtOnce) {
      const int channel = chunk + quad;
      Quad<Number> quads[kLoads];
      std::uint32_t passed[kLoads];
#pragma unroll
      for (int load = 0; load < kLoads; ++load) {
        const int at = first + load * kStagedAtOnce;
        const int y = y0 + at / kStageColumns - 1;
        const int x = x0 + at % kStageColumns - 1;
        quads[load] = {};
        passed[load] = 0;
        if (at >= kStagePixels || channel >= channels || !tiling.inside(y, x)) continue;
        const std::int64_t pixel = std::int64_t{y} * tiling.w + x;
        quads[load] = quad_at<kWhole>(grad, pixel, channel, channels);
        // Four channels from a multiple of 4 on are in one word.
        passed[load] = mask == nullptr ? kAllPass : mask[pixel * words + channel / 32] >> (channel % 32);
      }
#pragma unroll
      for (int load = 0; load < kLoads; ++load) {
        const int at = first + load * kStagedAtOnce;
        if (at >= kStagePixels) break;
#pragma unroll
        for (int k = 0; k < 4; ++k) stage[(quad + k) * kStagePlane + at] = (passed[load] >> k & 1) != 0 ? widened(quads[load].of[k]) : 0.0f;
      }
    }
    __syncthreads();
#pragma unroll 1
    for (int channel = share * kShare; channel < (share + 1) * kShare; ++channel) {
      float filter[kTaps];
#pragma unroll
      for (int tap = 0; tap < kTaps; ++tap) filter[tap] = filters[channel][tap];
      // From the first pixel's neighbour above and to the left: each number meets, for the pixel dy rows above and dx columns to the left
      // of it, tap 2 - dy, 2 - dx.
      const float* from = stage + channel * kStagePlane + strip * kStageColumns + lane;
#pragma unroll
      for (int row = 0; row < kStrip + 2; ++row) {
        float value[3];
#pragma unroll
        for (int dx = 0; dx < 3; ++dx) value[dx] = from[row * kStageColumns + dx];
#pragma unroll
        for (int dy = 0; dy < 3; ++dy) {
          const int i = row - dy;
          if (i < 0 || i >= kStrip) continue;
#pragma unroll
          for (int plane = 0; plane < kPlanes; ++plane) {
#pragma unroll
            for (int dx = 0; dx < 3; ++dx) sum[plane][i] += filter[plane * 9 + (2 - dy) * 3 + 2 - dx] * value[dx];
          }
        }
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int plane = 0; plane < kPlanes; ++plane) {
#pragma unroll
    for (int i = 0; i < kStrip; ++i) {
      stage[(share * kPlanes + plane) * kTilePixels + (strip + i) * kGradientColumns + lane] = sum[plane][i];
    }
  }
  __syncthreads();
  double varied = 0;
  for (int i = thread; i < kPlanes * kTilePixels; i += kThreads) {
    const int plane = i / kTilePixels;
    const int y = y0 + i % kTilePixels / kGradientColumns;
    const int x = x0 + i % kGradientColumns;
    if (!tiling.inside(y, x)) continue;
    float total = stage[i];
    for (int other = 1; other < kShares; ++other) total += stage[other * kPlanes * kTilePixels + i];
    const std::int64_t at = (std::int64_t{plane} * tiling.h + y) * tiling.w + x;
    if (variation.picture != nullptr) {
      const VariationAt here = variation_at(variation.picture + at, y, x, tiling.h, tiling.w);
      total = static_cast<float>(total + variation.scale * here.slope);
      varied += here.sum;
    }
    grad_picture[at] = total;
  }
  if (variation.picture == nullptr) return;
  varied = block_sum(varied);
  if (thread == 0) variation.partials[blockIdx.x] = varied;
}

template <class Number>
void start_forward(Features picture, const float* weight, const float* bias, bool rectify, Features out, Mask mask, cudaStream_t stream) {
  const auto words_of_pixel = static_cast<int>(mask_words(out.shape.c));
  const Grid grid = grid_of(out.shape, kForwardRows, kForwardColumns);
  launch("starting image_conv_forward", forward_tiles<Number>,
         dim3(grid.tiles, static_cast<unsigned>((words_of_pixel + kWords - 1) / kWords)), dim3(kThreads), stream, floats(picture),
         grid.tiling, weight, bias, out.shape.c, rectify, numbers<Number>(out), words(mask), words_of_pixel);
}

template <class Number>
void start_gradient(Features grad_out, Mask mask, const float* weight, Features grad_picture, const Variation& variation,
                    cudaStream_t stream) {
  const int channels = grad_out.shape.c;
  const Grid grid = gradient_grid(grad_out.shape);
  launch("starting image_conv_gradient", channels % 4 == 0 ? gradient_tiles<Number, true> : gradient_tiles<Number, false>, dim3(grid.tiles),
         dim3(kThreads), stream, numbers<Number>(grad_out), words(mask), grid.tiling, weight, channels,
         static_cast<int>(mask_words(channels)), variation, floats(grad_picture));
}

}  // namespace

void image_conv_forward(Storage storage, Features picture, const float* weight, const float* bias, bool rectify, Features out, Mask mask,
                        cudaStream_t stream) {
  for_storage(storage, start_forward<float>, start_forward<__half>, start_forward<__nv_bfloat16>)(picture, weight, bias, rectify, out, mask,
                                                                                                  stream);
}

void image_conv_gradient(Storage storage, Features grad_out, Mask mask, const float* weight, Features grad_picture,
                         const TotalVariationTerm* plus, double* partials, cudaStream_t stream) {
  const Variation variation = plus == nullptr ? Variation{} : Variation{floats(plus->x), plus->scale, partials};
  for_storage(storage, start_gradient<float>, start_gradient<__half>, start_gradient<__nv_bfloat16>)(grad_out, mask, weight, grad_picture,
                                                                                                     variation, stream);
  if (plus != nullptr) add_partials(partials, static_cast<int>(gradient_grid(grad_out.shape).tiles), 1, plus->result, stream);
}

std::int64_t image_conv_gradient_scratch_bytes(Shape shape) {
  return std::int64_t{gradient_grid(shape).tiles} * std::int64_t{sizeof(double)};
}

}  // namespace impasto::cuda
