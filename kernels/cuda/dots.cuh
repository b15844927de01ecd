// The dot products of many vectors with few, for vectors of either kind. All sums are taken in an order that sizes alone decide.
//
// A block takes a piece of the elements and a group of `many`. A thread keeps its few elements of `few` in registers while the group
// passes by, four vectors at a time, the next four on their way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/reduction.h"
#include "kernels/cuda/vectors.h"

namespace impasto::cuda {

// Vectors of `many` that pass together.
inline constexpr int kDotRows = 4;
// The largest group, a multiple of kDotRows: its sums are kept once for each warp in shared memory, 16 KiB for four of `few`.
inline constexpr int kDotGroup = 64;
// Vectors of `many` of one launch: their addresses travel with it.
inline constexpr int kDotVectors = 256;
// Pieces, and blocks worth having: 132 multiprocessors hold two or more of these blocks each.
inline constexpr std::int64_t kDotPieces = 1024;
inline constexpr std::int64_t kDotBlocks = 512;

struct DotOperands {
  const void* many[kDotVectors];
  const float* few[Backend::kMaxFew];
  int many_count;
  int group;
  std::int64_t size;
  std::int64_t piece_chunks;
};

// The sums over the warp of four rows, those of row lane / 8 to each lane: every exchange halves what is left to add.
template <class Sum, int kFew>
__device__ void sum_rows(const Sum (&rows)[kDotRows][kFew], Sum (&sums)[kFew]) {
  const bool second_half = threadIdx.x / 16 % 2 != 0;
  const bool second_quarter = threadIdx.x / 8 % 2 != 0;
  for (int j = 0; j < kFew; ++j) {
    const Sum a = (second_half ? rows[2][j] : rows[0][j]) + __shfl_xor_sync(kWholeWarp, second_half ? rows[0][j] : rows[2][j], 16);
    const Sum b = (second_half ? rows[3][j] : rows[1][j]) + __shfl_xor_sync(kWholeWarp, second_half ? rows[1][j] : rows[3][j], 16);
    Sum sum = (second_quarter ? b : a) + __shfl_xor_sync(kWholeWarp, second_quarter ? a : b, 8);
    for (int distance = 4; distance > 0; distance /= 2) sum += __shfl_xor_sync(kWholeWarp, sum, distance);
    sums[j] = sum;
  }
}

// partials (gridDim.y, many_count * kFew). Form says how a thread reads kElements consecutive elements at its place:
//   Form(at, size)        where it stands
//   Few few(v)            those of one of `few`, 0 past the end
//   bool whole()          read_whole is allowed
//   Raw read_whole(data)  those of one of `many`
//   Raw read_part(data)   the same anywhere, 0 past the end
//   Sum dot(raw, few)     their dot product
template <class Form, int kFew>
__global__ void __launch_bounds__(kReductionThreads, 2) dot_pieces(const DotOperands operands, double* partials) {
  __shared__ double sums[kReductionWarps][kDotGroup * kFew];
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / kWarpThreads;
  const int lane = thread % kWarpThreads;
  const int first = static_cast<int>(blockIdx.x) * operands.group;
  const int rest = operands.many_count - first;
  const int count = rest < operands.group ? rest : operands.group;
  for (int i = lane; i < kDotGroup * kFew; i += kWarpThreads) sums[warp][i] = 0;
  __syncwarp();

  for (std::int64_t chunk = 0; chunk < operands.piece_chunks; ++chunk) {
    const Form form(((blockIdx.y * operands.piece_chunks + chunk) * kReductionThreads + thread) * Form::kElements, operands.size);
    typename Form::Few few[kFew];
    for (int j = 0; j < kFew; ++j) few[j] = form.few(operands.few[j]);
    // Past the group's end the last one again: its sums are not used.
    typename Form::Raw next[kDotRows];
    const auto fetch = [&](int from) {
      const void* data[kDotRows];
      for (int k = 0; k < kDotRows; ++k) data[k] = operands.many[first + (from + k < count ? from + k : count - 1)];
      if (form.whole()) {
        for (int k = 0; k < kDotRows; ++k) next[k] = form.read_whole(data[k]);
      } else {
        for (int k = 0; k < kDotRows; ++k) next[k] = form.read_part(data[k]);
      }
    };
    fetch(0);
    for (int i = 0; i < count; i += kDotRows) {
      typename Form::Raw now[kDotRows];
      for (int k = 0; k < kDotRows; ++k) now[k] = next[k];
      if (i + kDotRows < count) fetch(i + kDotRows);
      typename Form::Sum products[kDotRows][kFew];
      for (int k = 0; k < kDotRows; ++k) {
        for (int j = 0; j < kFew; ++j) products[k][j] = Form::dot(now[k], few[j]);
      }
      typename Form::Sum row[kFew];
      sum_rows(products, row);
      if (lane % 8 == 0) {
        for (int j = 0; j < kFew; ++j) sums[warp][(i + lane / 8) * kFew + j] += row[j];
      }
    }
  }

  __syncthreads();
  double* to = partials + (std::int64_t{blockIdx.y} * operands.many_count + first) * kFew;
  for (int i = thread; i < count * kFew; i += kReductionThreads) {
    double sum = sums[0][i];
    for (int other = 1; other < kReductionWarps; ++other) sum += sums[other][i];
    to[i] = sum;
  }
}

// dots of kernels/cuda/vectors.h; Many: Vector or CompactVector.
template <class Form, class Many>
void dot_products(std::span<const Many> many, std::span<const Vector> few, double* partials, double* result, cudaStream_t stream) {
  if (many.empty() || few.empty()) return;
  const int few_count = static_cast<int>(few.size());
  DotOperands operands{};
  operands.size = few[0].size;
  for (int j = 0; j < few_count; ++j) operands.few[j] = floats(few[j]);
  const std::int64_t chunk = std::int64_t{kReductionThreads} * Form::kElements;
  const std::int64_t chunks = std::max<std::int64_t>((operands.size + chunk - 1) / chunk, 1);

  for (std::size_t begin = 0; begin < many.size(); begin += kDotVectors) {
    const std::span<const Many> these = many.subspan(begin, std::min<std::size_t>(kDotVectors, many.size() - begin));
    const std::int64_t count = std::ssize(these);
    const std::int64_t width = count * few_count;
    for (std::int64_t i = 0; i < count; ++i) operands.many[i] = these[i].data;
    operands.many_count = static_cast<int>(count);

    const std::int64_t most_pieces = std::min(kDotPieces, kPartials / width);
    operands.piece_chunks = (chunks + most_pieces - 1) / most_pieces;
    const std::int64_t pieces = (chunks + operands.piece_chunks - 1) / operands.piece_chunks;
    const std::int64_t most_groups = (count + kDotRows - 1) / kDotRows;
    const std::int64_t groups = std::clamp((kDotBlocks + pieces - 1) / pieces, (count + kDotGroup - 1) / kDotGroup, most_groups);
    operands.group = static_cast<int>((most_groups + groups - 1) / groups * kDotRows);

    const dim3 grid(blocks_for(count, operands.group), static_cast<unsigned>(pieces));
    const auto start = [&](auto kernel) { launch("starting dots", kernel, grid, dim3(kReductionThreads), stream, operands, partials); };
    switch (few_count) {
      case 1:
        start(dot_pieces<Form, 1>);
        break;
      case 2:
        start(dot_pieces<Form, 2>);
        break;
      case 3:
        start(dot_pieces<Form, 3>);
        break;
      default:
        start(dot_pieces<Form, 4>);
    }
    add_partials(partials, static_cast<int>(pieces), width, result + static_cast<std::int64_t>(begin) * few_count, stream);
  }
}

}  // namespace impasto::cuda
