// What each instruction set provides: plain functions on plain memory, each doing one thread's share. Cutting the work into shares,
// checking shapes and placing scratch is the business of the callers, which are compiled once, for the baseline.
#pragma once

#include <cstdint>

#include "kernels/backend.h"
#include "kernels/cpu/tile_grid.h"

namespace impasto::cpu {

// Where the values that a convolution reads come from.
enum class Source {
  kPlain,           // the block itself
  kMasked,          // where the mask's bit is set; 0 elsewhere
  kMaxUnpooled,     // from the pooled plane, at the one position of each 2x2 window whose bit is set
  kAverageUnpooled  // a quarter of the pooled plane's value, where the bit is set
};

// One direction of one 3x3 convolution.
struct ConvJob {
  int in_blocks = 0;
  int out_blocks = 0;
  // The plane of the convolution, before pooling; source and epilogue pool it to h/2 x w/2.
  int h = 0;
  int w = 0;

  Source source = Source::kPlain;
  const float* in = nullptr;
  const std::uint16_t* in_mask = nullptr;

  Epilogue epilogue = Epilogue::kNone;
  const float* bias = nullptr;  // (16 out_blocks), or nullptr for none
  float* out = nullptr;
  std::uint16_t* out_mask = nullptr;  // nullptr: do not record

  // Filters in the order of pack_filters. transposed: input and output channels exchanged, taps turned by 180 degrees.
  const float* filters = nullptr;
  bool transposed = false;

  TileGrid grid;  // Winograd's

  bool pools() const { return epilogue == Epilogue::kReluMaxPool || epilogue == Epilogue::kReluAveragePool; }
};

// A direct convolution writes its plane in patches of at most so many pixels (even, for pooling). The width is a multiple of the pixels of
// one register product with AVX-512; what a patch reads, 180 pixels of 512 channels in double, fits into L2.
inline constexpr int kPatchRows = 4;
inline constexpr int kPatchColumns = 28;
// Numbers of what a patch reads of one block of channels.
inline constexpr std::int64_t kPatchBlock = std::int64_t{kPatchRows + 2} * (kPatchColumns + 2) * 16;

// How far apart positions of transformed filters, inputs and products lie that are `floats` (a multiple of 16) long: an odd number of
// lines, or else the up to 64 lines that a transform reads or writes at a time would meet in few sets of each cache, where 64 lines, or a
// multiple, make a round of the first level's. (Products of 63 tiles, 64 lines apart with one line of padding: their output transform 1490
// -> 700 cycles.)
static inline std::int64_t odd_lines(std::int64_t floats) { return (floats / 16 | 1) * 16; }

// Transformed filters of one group of output channels: (position, 16 in_blocks, columns = channels of the group), positions so far apart.
static inline std::int64_t filter_position(int in_blocks, int columns) { return odd_lines(std::int64_t{in_blocks} * 16 * columns); }

// Transformed input of up to `capacity` tiles: (position, channel block, tile, 16), positions `position` apart.
struct InputTiles {
  float* data = nullptr;
  std::int64_t capacity = 0;
  std::int64_t position = 0;
};

// Products of up to `capacity` tiles for one group of output channels: (position, channel block of the group, tile, 16).
struct ProductTiles {
  float* data = nullptr;
  std::int64_t capacity = 0;
  std::int64_t position = 0;
};

// What a CompactVector holds: of each run of Backend::kCompactRun numbers what bit 24 is worth; from the next line of 64 bytes on the
// digits, four in a word, and zeros to fill the last run. Of 64 numbers in a row, word i has number i in its bits 24 to 31,
// number 16 + i in bits 16 to 23, number 32 + i in bits 8 to 15 and number 48 + i in bits 0 to 7, in two's complement.
struct CompactRuns {
  float* units;
  std::int32_t* words;
};
inline constexpr int kCompactWordDigits = 4;
inline constexpr int kCompactRunWords = Backend::kCompactRun / kCompactWordDigits;

static inline std::int64_t compact_runs(std::int64_t size) { return (size + Backend::kCompactRun - 1) / Backend::kCompactRun; }
static inline std::int64_t compact_unit_bytes(std::int64_t size) { return (compact_runs(size) * 4 + 63) / 64 * 64; }
static inline CompactRuns runs_of(CompactVector v) {
  return {static_cast<float*>(v.data), reinterpret_cast<std::int32_t*>(static_cast<char*>(v.data) + compact_unit_bytes(v.size))};
}

struct KernelTable {
  const char* name;
  // Output channels of one register product: filters are grouped by so many.
  int group_channels;
  // Rows of one register product: tiles per block should be a multiple.
  int group_rows;

  // --- winograd_*_kernels.cc ------------------------------------------------------------------------------------------------------
  // Transforms the filters from input block `in_block` to the output channels of `group`, into their place of u (filter_position).
  void (*winograd_filters)(const ConvJob& job, int group, int in_block, float* u);
  // v[0 .. count) = tiles first .. first + count - 1 of input blocks first_block .. last_block - 1, transformed.
  void (*winograd_input)(const ConvJob& job, int first_block, int last_block, std::int64_t first, std::int64_t count, const InputTiles& v);
  // m[0 .. count) = U V[0 .. count) for every position. Meanwhile fetches the lines that tiles first .. first + count - 1 of the group's
  // output will take.
  void (*winograd_products)(const ConvJob& job, int group, const float* u, const InputTiles& v, const ProductTiles& m, std::int64_t first,
                            std::int64_t count);
  // Transforms m[0 .. count) back to tiles first .. first + count - 1 of the group's output channels, with bias and epilogue.
  void (*winograd_output)(const ConvJob& job, int group, std::int64_t first, std::int64_t count, const ProductTiles& m);

  // --- direct_conv_kernels.cc: everything summed in double ------------------------------------------------------------------------
  // The filters of one block of output channels: (9 taps, 16 in_blocks, 16).
  void (*direct_filters)(const ConvJob& job, int out_block, double* filters);
  // The patch whose first pixel is y0, x0 (even) of output blocks first_block .. last_block - 1, with bias and epilogue. filters: of all
  // output blocks, one after the other. source: in_blocks * kPatchBlock doubles of scratch.
  void (*direct_patch)(const ConvJob& job, std::int64_t y0, std::int64_t x0, int first_block, int last_block, const double* filters,
                       double* source);

  // --- image_conv_kernels.cc ------------------------------------------------------------------------------------------------------
  // One row of a convolution reading a picture. rows (3 channels, 3 rows, padded_w): the row and its neighbours, each one pixel to the
  // right, zeros before and after; padded_w >= w + 1 + 2 group_rows. filters (group, 27, channels of the group); bias (16 out_blocks).
  // out, mask (may be nullptr): where the row begins in block 0; blocks are out_plane pixels apart. past_cache: out's planes are too large
  // to be found in the cache later, and are written to memory without being fetched from there first; out is then aligned to kAlignment.
  void (*image_conv_row)(const float* rows, std::int64_t padded_w, int w, const float* filters, const float* bias, int out_blocks,
                         bool rectify, bool past_cache, float* out, std::uint16_t* mask, std::int64_t out_plane);
  // One row of products (kImageTaps, padded_w): for tap t = (3 c + ky) 3 + kx, the sum over channels of filter[t] * gradient where the mask
  // (nullptr: everywhere) is set, one pixel to the right, zeros at both ends; padded_w >= w + 2 + kImageSegment.
  // grad, mask: where the row begins in block 0, blocks `plane` pixels apart. filters (group of taps, 16 blocks, taps of the group).
  // scratch: blocks * kImageSegment * 16 floats.
  void (*image_gradient_products)(const float* grad, const std::uint16_t* mask, std::int64_t plane, int w, int blocks, const float* filters,
                                  float* scratch, float* products, std::int64_t padded_w);
  // out[0 .. w) of one channel: the sum over its nine taps of the products of the rows above, at and below (nullptr at the borders).
  void (*image_gradient_row)(const float* const products[3], std::int64_t padded_w, int channel, int w, float* out);

  // --- pooling_kernels.cc: one row of the output, one block; in: its first row, mask: that row's ------------------------------------
  void (*relu)(const float* in, std::int64_t pixels, float* out, std::uint16_t* mask);
  void (*relu_gradient)(const std::uint16_t* mask, std::int64_t pixels, float* grad);
  void (*pool_row)(PoolKind kind, const float* in, int w, float* out, std::uint16_t* mask);
  // Two rows of grad_in from one of grad_out.
  void (*pool_gradient_row)(PoolKind kind, const float* grad_out, const std::uint16_t* mask, int w, float* grad_in);

  // --- gram_kernels.cc ------------------------------------------------------------------------------------------------------------
  // sums (16 blocks)^2 += F F^T over pixels first .. last - 1, for the columns of `group` and all rows up to its last.
  void (*gram_group)(const float* f, std::int64_t plane, int blocks, int group, std::int64_t first, std::int64_t last, double* sums);
  // grad_f += packed F for pixels first .. last - 1; packed (group, 16 blocks, channels of the group).
  void (*gram_gradient)(const float* f, std::int64_t plane, int blocks, const float* packed, std::int64_t first, std::int64_t last,
                        float* grad_f);

  // --- vector_kernels.cc ----------------------------------------------------------------------------------------------------------
  // sums[i * few + j] = many[i] . few[j] over elements first .. last - 1.
  void (*dots)(const float* const* many, int many_count, const float* const* few, int few_count, std::int64_t first, std::int64_t last,
               double* sums);
  // out = sum_i coefficients[i] terms[i], over elements first .. last - 1.
  void (*combine)(const double* coefficients, const Vector* terms, int count, std::int64_t first, std::int64_t last, float* out);
  // sums[0] = sum |v|, sums[1] = max |v|.
  void (*norms)(const float* v, std::int64_t size, double* sums);
  // Returns sum (f - p)^2; grad += scale (f - p) unless grad is nullptr.
  double (*distance)(const float* f, const float* p, std::int64_t size, double scale, float* grad);
  void (*adam)(const float* grad, std::int64_t size, const Backend::AdamParameters& parameters, double unbias1, double unbias2, float* m,
               float* v, float* x);

  // --- compact_kernels.cc ---------------------------------------------------------------------------------------------------------
  // As compress, dots and combine of the seam, over elements first .. last - 1: whole runs, or up to the vector's end.
  void (*compress)(float* v, CompactVector to, std::int64_t first, std::int64_t last);
  void (*compact_dots)(const CompactVector* many, int many_count, const float* const* few, int few_count, std::int64_t first,
                       std::int64_t last, double* sums);
  void (*compact_combine)(const double* coefficients, const CompactVector* terms, int count, double scale, const float* v,
                          std::int64_t first, std::int64_t last, float* out);

  // --- picture_kernels.cc: one row --------------------------------------------------------------------------------------------------
  // Returns this row's share of the total variation (differences to the right and to the row below); grad as in total_variation.
  // above, below: nullptr at the borders.
  double (*variation_row)(const float* row, const float* above, const float* below, int w, double scale, float* grad);
  // sum += gain * out.
  void (*smooth_along_row)(const float* in, int w, int step, float* out, float gain, float* sum);
  void (*smooth_across_rows)(const float* const rows[5], int w, float* out);
};

namespace avx512 {
const KernelTable& kernel_table();
}
namespace avx2 {
const KernelTable& kernel_table();
}
namespace portable {
const KernelTable& kernel_table();
}

}  // namespace impasto::cpu
