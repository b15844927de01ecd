// 3x3 convolution as it is defined: nine products a pair of channels, summed in double and rounded once.
#include "kernels/cpu/direct_conv_kernels.h"

#include <cstddef>

#include "kernels/cpu/conv_source.h"
#include "kernels/cpu/conv_target.h"

namespace impasto::cpu::IMPASTO_ISA {
namespace {

constexpr int kDoubles = kLanes / 2;
// Vectors of doubles that one block of channels takes.
constexpr int kVectors = kBlock / kDoubles;
// Pixels of one register product, so that sums, filters and one broadcast fill the registers (register_product.h).
#if defined(__AVX512F__)
constexpr int kPixels = 14;
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr int kPixels = 3;
#else
constexpr int kPixels = 1;
#endif

constexpr int kSourceColumns = kPatchColumns + 2;
// (rows, channel blocks, columns, 16)
constexpr std::int64_t kSourceRowBlock = std::int64_t{kSourceColumns} * kBlock;

template <Source kSource>
void gather_source(const ConvJob& job, std::int64_t y0, std::int64_t x0, double* source) {
  constexpr int kRows = kPatchRows + 2;
  alignas(64) float patch[kPatchBlock];
  const SourcePlane plane = source_plane<kSource>(job);
  for (int b = 0; b < job.in_blocks; ++b) {
    gather_patch<kSource>(plane, plane.block(b), y0 - 1, x0 - 1, kRows, kSourceColumns, patch);
    for (int row = 0; row < kRows; ++row) {
      double* to = source + (std::int64_t{row} * job.in_blocks + b) * kSourceRowBlock;
      const float* from = patch + row * kSourceRowBlock;
      for (std::int64_t i = 0; i < kSourceRowBlock; i += kDoubles) store_double(to + i, load_wide(from + i));
    }
  }
}

void gather_source_of(const ConvJob& job, std::int64_t y0, std::int64_t x0, double* source) {
  switch (job.source) {
    case Source::kPlain:
      return gather_source<Source::kPlain>(job, y0, x0, source);
    case Source::kMasked:
      return gather_source<Source::kMasked>(job, y0, x0, source);
    case Source::kMaxUnpooled:
      return gather_source<Source::kMaxUnpooled>(job, y0, x0, source);
    case Source::kAverageUnpooled:
      return gather_source<Source::kAverageUnpooled>(job, y0, x0, source);
  }
}

// out (kN pixels, 16) = bias + the filters over the source whose first row and column are those above and left of the first pixel.
template <int kN>
void direct_pixels(const double* source, int in_blocks, const double* filters, const float* bias, float* out) {
  VecD sum[kN][kVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kVectors; ++j) {
    const VecD start = bias == nullptr ? VecD{} : load_wide(bias + j * kDoubles);
#pragma GCC unroll 14
    for (int r = 0; r < kN; ++r) sum[r][j] = start;
  }
  for (int tap = 0; tap < 9; ++tap) {
    for (int b = 0; b < in_blocks; ++b) {
      const double* pixels = source + (std::int64_t{tap / 3} * in_blocks + b) * kSourceRowBlock + tap % 3 * kBlock;
      for (int i = 0; i < kBlock; ++i) {
        VecD w[kVectors];
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) w[j] = load_double(filters + j * kDoubles);
        filters += kBlock;
#pragma GCC unroll 14
        for (int r = 0; r < kN; ++r) {
          const VecD x = VecD{} + pixels[r * kBlock + i];
#pragma GCC unroll 8
          for (int j = 0; j < kVectors; ++j) sum[r][j] = multiply_add(x, w[j], sum[r][j]);
        }
      }
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < kN; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) store_narrow(out + r * kBlock + j * kDoubles, sum[r][j]);
  }
}

// The same for any number of pixels up to kN.
template <int kN>
void direct_pixels_of(int pixels, const double* source, int in_blocks, const double* filters, const float* bias, float* out) {
  if (pixels == kN) {
    direct_pixels<kN>(source, in_blocks, filters, bias, out);
  } else if constexpr (kN > 1) {
    direct_pixels_of<kN - 1>(pixels, source, in_blocks, filters, bias, out);
  }
}

// From patch (kPatchRows, kPatchColumns, 16) to the plane, in squares of 2 x 2.
template <Epilogue kEpilogue>
void write_patch(const float* patch, const Target& target, std::int64_t y0, std::int64_t x0, int rows, int columns) {
  for (int y = 0; y < rows; y += 2) {
    for (int x = 0; x < columns; x += 2) {
      const float* at = patch + (y * kPatchColumns + x) * kBlock;
      for (int part = 0; part < kParts; ++part, at += kLanes) {
        const VecF square[4] = {load(at), load(at + kBlock), load(at + kPatchColumns * kBlock), load(at + (kPatchColumns + 1) * kBlock)};
        write_tile<2, 2, kEpilogue, false, false>(square, target, y0 + y, x0 + x, part);
      }
    }
  }
}

void write_patch_of(Epilogue epilogue, const float* patch, const Target& target, std::int64_t y0, std::int64_t x0, int rows, int columns) {
  switch (epilogue) {
    case Epilogue::kNone:
      return write_patch<Epilogue::kNone>(patch, target, y0, x0, rows, columns);
    case Epilogue::kRelu:
      return write_patch<Epilogue::kRelu>(patch, target, y0, x0, rows, columns);
    case Epilogue::kReluMaxPool:
      return write_patch<Epilogue::kReluMaxPool>(patch, target, y0, x0, rows, columns);
    case Epilogue::kReluAveragePool:
      return write_patch<Epilogue::kReluAveragePool>(patch, target, y0, x0, rows, columns);
  }
}

}  // namespace

void direct_filters(const ConvJob& job, int out_block, double* filters) {
  constexpr int kTap = kBlock * kBlock;
  for (int tap = 0; tap < 9; ++tap) {
    for (int b = 0; b < job.in_blocks; ++b) {
      // The convolution's own output channels are the gradient's inputs.
      const std::int64_t pair = job.transposed ? std::int64_t{b} * job.out_blocks + out_block : std::int64_t{out_block} * job.in_blocks + b;
      const float* from = job.filters + (pair * 9 + (job.transposed ? 8 - tap : tap)) * kTap;
      for (int i = 0; i < kBlock; ++i) {
        for (int j = 0; j < kBlock; ++j) *filters++ = from[job.transposed ? j * kBlock + i : i * kBlock + j];
      }
    }
  }
}

void direct_patch(const ConvJob& job, std::int64_t y0, std::int64_t x0, int first_block, int last_block, const double* filters,
                  double* source) {
  gather_source_of(job, y0, x0, source);
  const int rows = static_cast<int>(smaller_of<std::int64_t>(kPatchRows, job.h - y0));
  const int columns = static_cast<int>(smaller_of<std::int64_t>(kPatchColumns, job.w - x0));
  // Where the plane ends in the middle of a square, the square's other half is computed from zeros and not written.
  alignas(64) float patch[kPatchRows * kPatchColumns * kBlock]{};
  for (int block = first_block; block < last_block; ++block) {
    const double* of_block = filters + std::int64_t{block} * job.in_blocks * 9 * kBlock * kBlock;
    const float* bias = job.bias == nullptr ? nullptr : job.bias + block * kBlock;
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; x += kPixels) {
        direct_pixels_of<kPixels>(smaller_of(kPixels, columns - x), source + y * job.in_blocks * kSourceRowBlock + x * kBlock,
                                  job.in_blocks, of_block, bias, patch + (y * kPatchColumns + x) * kBlock);
      }
    }
    write_patch_of(job.epilogue, patch, target_of(job, block), y0, x0, rows, columns);
  }
}

}  // namespace impasto::cpu::IMPASTO_ISA
