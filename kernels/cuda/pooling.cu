// Bound by memory, all of them. A warp takes the 32 channels of one word of the mask, so that its lanes read and write consecutive numbers
// and their votes are the word; lanes past the last channel only vote.
#include "kernels/cuda/pooling.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/reduction.cuh"

namespace impasto::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarpThreads;

// Pixels that a warp reads before it writes any, 16 bytes a lane: one number would be too little on its way to keep the memory busy.
template <class Number>
constexpr int kRunOf = 16 / sizeof(Number);

// An activation, pixel by pixel, without rows.
struct Pixels {
  std::int64_t count;
  int channels;
  int words;  // of mask for each pixel
};

// Where all words are full, what lies behind a pixel's word is of no importance, and every word can be a pixel of its own: so that a warp's
// run of pixels lies in one piece.
Pixels pixels_of(Shape shape) {
  if (shape.c % kWarpThreads == 0) return {shape.size() / kWarpThreads, kWarpThreads, 1};
  return {shape.plane(), shape.c, static_cast<int>(mask_words(shape.c))};
}

// One block for each word in x, runs of pixels in y.
dim3 grid_of(Pixels pixels, int run) { return dim3(static_cast<unsigned>(pixels.words), blocks_for(pixels.count, kWarps * run)); }

// Calls body(first pixel, word, lane) for the runs of this warp; all lanes take part in every call.
template <int kRun, class Body>
__device__ void for_each_run(const Pixels& pixels, Body body) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  const int warp = static_cast<int>(threadIdx.x) / kWarpThreads;
  const std::int64_t stride = std::int64_t{gridDim.y} * (kWarps * kRun);
  for (std::int64_t first = (std::int64_t{blockIdx.y} * kWarps + warp) * kRun; first < pixels.count; first += stride) {
    body(first, static_cast<int>(blockIdx.x), lane);
  }
}

__device__ float rectified(float value) { return value <= 0 ? 0.0f : value; }

// value[i] = this lane's number of pixel first + i, 0 past the last pixel or channel.
template <class Number>
__device__ void load_run(const Number* in, const Pixels& pixels, std::int64_t first, int channel, float (&value)[kRunOf<Number>]) {
#pragma unroll
  for (int i = 0; i < kRunOf<Number>; ++i) {
    const bool inside = channel < pixels.channels && first + i < pixels.count;
    value[i] = inside ? widened(in[(first + i) * pixels.channels + channel]) : 0.0f;
  }
}

// The words of a run's pixels: where the lanes' values are > 0.
template <int kRun>
__device__ void vote_run(const float (&value)[kRun], const Pixels& pixels, std::int64_t first, int word, int lane, std::uint32_t* mask) {
  std::uint32_t mine = 0;
#pragma unroll
  for (int i = 0; i < kRun; ++i) {
    const std::uint32_t passed = __ballot_sync(kWholeWarp, value[i] > 0);
    if (lane == i) mine = passed;
  }
  if (lane < kRun && first + lane < pixels.count) mask[(first + lane) * pixels.words + word] = mine;
}

template <class Number>
__global__ void relu_runs(const Number* in, Pixels pixels, Number* out, std::uint32_t* mask) {
  constexpr int kRun = kRunOf<Number>;
  for_each_run<kRun>(pixels, [&](std::int64_t first, int word, int lane) {
    const int channel = word * kWarpThreads + lane;
    float value[kRun];
    load_run(in, pixels, first, channel, value);
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      const bool inside = channel < pixels.channels && first + i < pixels.count;
      if (inside) out[(first + i) * pixels.channels + channel] = narrowed<Number>(rectified(value[i]));
    }
    if (mask != nullptr) vote_run(value, pixels, first, word, lane, mask);
  });
}

template <class Number>
__global__ void vote_runs(const Number* __restrict__ in, Pixels pixels, std::uint32_t* __restrict__ mask) {
  for_each_run<kRunOf<Number>>(pixels, [&](std::int64_t first, int word, int lane) {
    float value[kRunOf<Number>];
    load_run(in, pixels, first, word * kWarpThreads + lane, value);
    vote_run(value, pixels, first, word, lane, mask);
  });
}

template <class Number>
__global__ void pass_runs(const Number* in, const std::uint32_t* mask, Pixels pixels, Number* out) {
  constexpr int kRun = kRunOf<Number>;
  for_each_run<kRun>(pixels, [&](std::int64_t first, int word, int lane) {
    const int channel = word * kWarpThreads + lane;
    float value[kRun];
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      const bool inside = channel < pixels.channels && first + i < pixels.count;
      const bool passes = inside && (mask[(first + i) * pixels.words + word] >> lane & 1) != 0;
      value[i] = passes ? widened(in[(first + i) * pixels.channels + channel]) : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      const bool inside = channel < pixels.channels && first + i < pixels.count;
      if (inside) out[(first + i) * pixels.channels + channel] = narrowed<Number>(value[i]);
    }
  });
}

// What is pooled.
struct Plane {
  int h;
  int w;
  int channels;
  int words;  // of mask for each pixel

  // Windows, with those that an odd last row or column cuts: they have masks and gradients too.
  __host__ __device__ int window_rows() const { return h / 2 + h % 2; }
  __host__ __device__ int window_columns() const { return w / 2 + w % 2; }
};

Plane plane_of(Shape shape) { return {shape.h, shape.w, shape.c, static_cast<int>(mask_words(shape.c))}; }

// Words of a row of windows in x, rows in y.
dim3 grid_of(Plane plane) {
  return dim3(blocks_for(std::int64_t{plane.window_columns()} * plane.words, kWarps), blocks_for(plane.window_rows(), 1));
}

// The 32 channels of one window that a warp works on: pixel k of its four, in row order, is `first` + k / 2 * w + k % 2.
struct Window {
  std::int64_t first;
  std::int64_t pooled;  // pixel of the pooled plane, if `whole`
  int rows;             // 1 or 2
  int columns;
  int word;
  int lane;
  int channel;

  __device__ bool whole() const { return rows == 2 && columns == 2; }
  __device__ bool has(int k) const { return k / 2 < rows && k % 2 < columns; }
  __device__ std::int64_t pixel(int k, const Plane& plane) const { return first + k / 2 * std::int64_t{plane.w} + k % 2; }
};

// Calls body(window) for the windows of this warp; all lanes take part in every call.
template <class Body>
__device__ void for_each_window(const Plane& plane, Body body) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  const unsigned warp = threadIdx.x / kWarpThreads;
  // 32 bits hold the words of a row, and divide faster than 64.
  const auto words = static_cast<unsigned>(plane.words);
  const unsigned words_of_row = static_cast<unsigned>(plane.window_columns()) * words;
  for (int row = static_cast<int>(blockIdx.y); row < plane.window_rows(); row += static_cast<int>(gridDim.y)) {
    for (unsigned i = blockIdx.x * kWarps + warp; i < words_of_row; i += gridDim.x * kWarps) {
      const int column = static_cast<int>(i / words);
      Window window;
      window.first = std::int64_t{2} * row * plane.w + 2 * column;
      window.pooled = std::int64_t{row} * (plane.w / 2) + column;
      window.rows = row < plane.h / 2 ? 2 : 1;
      window.columns = column < plane.w / 2 ? 2 : 1;
      window.word = static_cast<int>(i % words);
      window.lane = lane;
      window.channel = window.word * kWarpThreads + lane;
      body(window);
    }
  }
}

template <class Number, PoolKind kKind>
__global__ void pool_windows(const Number* __restrict__ in, Plane plane, bool rectified, Number* __restrict__ out,
                             std::uint32_t* __restrict__ mask) {
  for_each_window(plane, [&](const Window& window) {
    const bool inside = window.whole() && window.channel < plane.channels;
    float value[4] = {};
    if (inside) {
#pragma unroll
      for (int k = 0; k < 4; ++k) value[k] = widened(in[window.pixel(k, plane) * plane.channels + window.channel]);
    }
    float result = value[0];
    int chosen = 0;
    if constexpr (kKind == PoolKind::kMax) {
#pragma unroll
      for (int k = 1; k < 4; ++k) {
        if (value[k] > result || value[k] != value[k]) {
          result = value[k];
          chosen = k;
        }
      }
    } else {
      result = (value[0] + value[1] + value[2] + value[3]) * 0.25f;
    }
    if (inside) out[window.pooled * plane.channels + window.channel] = narrowed<Number>(result);
    if (mask == nullptr) return;
    std::uint32_t mine = 0;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const bool passes = inside && (kKind != PoolKind::kMax || chosen == k) && (!rectified || value[k] > 0);
      const std::uint32_t passed = __ballot_sync(kWholeWarp, passes);
      if (window.lane == k) mine = passed;
    }
    if (window.lane < 4 && window.has(window.lane)) mask[window.pixel(window.lane, plane) * plane.words + window.word] = mine;
  });
}

// Each of a window's four gets share * grad_out where its bit is set.
template <class Number>
__global__ void unpool_windows(const Number* __restrict__ grad_out, const std::uint32_t* __restrict__ mask, Plane plane, float share,
                               Number* __restrict__ grad_in) {
  for_each_window(plane, [&](const Window& window) {
    if (window.channel >= plane.channels) return;
    const float grad = window.whole() ? share * widened(grad_out[window.pooled * plane.channels + window.channel]) : 0.0f;
    bool passes[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      passes[k] = window.whole() && (mask == nullptr || (mask[window.pixel(k, plane) * plane.words + window.word] >> window.lane & 1) != 0);
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (window.has(k)) grad_in[window.pixel(k, plane) * plane.channels + window.channel] = narrowed<Number>(passes[k] ? grad : 0.0f);
    }
  });
}

template <class Number>
void start_relu(Features in, Features out, Mask mask, cudaStream_t stream) {
  const Pixels pixels = pixels_of(in.shape);
  launch("starting relu", relu_runs<Number>, grid_of(pixels, kRunOf<Number>), dim3(kThreads), stream, numbers<Number>(in), pixels,
         numbers<Number>(out), words(mask));
}

template <class Number>
void start_vote(Features in, Mask mask, cudaStream_t stream) {
  const Pixels pixels = pixels_of(in.shape);
  launch("starting record_positive", vote_runs<Number>, grid_of(pixels, kRunOf<Number>), dim3(kThreads), stream, numbers<Number>(in),
         pixels, words(mask));
}

template <class Number>
void start_pass(Features in, Mask mask, Features out, cudaStream_t stream) {
  const Pixels pixels = pixels_of(in.shape);
  launch("starting pass_masked", pass_runs<Number>, grid_of(pixels, kRunOf<Number>), dim3(kThreads), stream, numbers<Number>(in),
         words(mask), pixels, numbers<Number>(out));
}

template <class Number>
void start_pool(PoolKind kind, Features in, bool rectified, Features out, Mask mask, cudaStream_t stream) {
  const Plane plane = plane_of(in.shape);
  const bool max = kind == PoolKind::kMax;
  std::uint32_t* recorded = max || rectified ? words(mask) : nullptr;
  launch("starting pool", max ? pool_windows<Number, PoolKind::kMax> : pool_windows<Number, PoolKind::kAverage>, grid_of(plane),
         dim3(kThreads), stream, numbers<Number>(in), plane, rectified, numbers<Number>(out), recorded);
}

template <class Number>
void start_unpool(PoolKind kind, Features grad_out, Mask mask, Features grad_in, cudaStream_t stream) {
  const Plane plane = plane_of(grad_in.shape);
  const float share = kind == PoolKind::kMax ? 1.0f : 0.25f;
  launch("starting unpool", unpool_windows<Number>, grid_of(plane), dim3(kThreads), stream, numbers<Number>(grad_out), words(mask), plane,
         share, numbers<Number>(grad_in));
}

}  // namespace

void relu(Storage storage, Features in, Features out, Mask mask, cudaStream_t stream) {
  for_storage(storage, start_relu<float>, start_relu<__half>, start_relu<__nv_bfloat16>)(in, out, mask, stream);
}

void record_positive(Storage storage, Features in, Mask mask, cudaStream_t stream) {
  for_storage(storage, start_vote<float>, start_vote<__half>, start_vote<__nv_bfloat16>)(in, mask, stream);
}

void pass_masked(Storage storage, Features in, Mask mask, Features out, cudaStream_t stream) {
  for_storage(storage, start_pass<float>, start_pass<__half>, start_pass<__nv_bfloat16>)(in, mask, out, stream);
}

void pool(Storage storage, PoolKind kind, Features in, bool rectified, Features out, Mask mask, cudaStream_t stream) {
  for_storage(storage, start_pool<float>, start_pool<__half>, start_pool<__nv_bfloat16>)(kind, in, rectified, out, mask, stream);
}

void unpool(Storage storage, PoolKind kind, Features grad_out, Mask mask, Features grad_in, cudaStream_t stream) {
  for_storage(storage, start_unpool<float>, start_unpool<__half>, start_unpool<__nv_bfloat16>)(kind, grad_out, mask, grad_in, stream);
}

}  // namespace impasto::cuda
