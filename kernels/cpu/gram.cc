#include "kernels/cpu/gram.h"

#include <algorithm>

#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"

namespace impasto::cpu {
namespace {

// The pixels are cut into pieces by their number alone, each with double sums of its own, added up in order: so the bits do not depend on
// the threads. At most 32 pieces, so that their sums stay below the features' own size from 512 channels of 64 x 64 pixels on.
std::int64_t gram_pieces(std::int64_t pixels) { return std::clamp<std::int64_t>(pixels / 2048, 1, 32); }

// Pixels of a task of the gradient: 4 of the widest register products, 112 KiB of 512 channels.
constexpr std::int64_t kGradientPixels = 56;

}  // namespace

std::int64_t gram_scratch_bytes(const KernelTable&, Shape shape) {
  const std::int64_t c = channel_blocks(shape.c) * kBlockChannels;
  return std::max(gram_pieces(shape.plane()) * c * c * static_cast<std::int64_t>(sizeof(double)),
                  packed_gram_floats(shape.c) * static_cast<std::int64_t>(sizeof(float)));
}

void compute_gram(const Context& context, Features f, float* g, void* scratch) {
  const float* from = static_cast<const float*>(f.data);
  double* sums = static_cast<double*>(scratch);
  const int blocks = channel_blocks(f.shape.c);
  const std::int64_t c = f.shape.c;
  const std::int64_t row_length = blocks * kBlockChannels;
  const std::int64_t pixels = f.shape.plane();
  const std::int64_t pieces = gram_pieces(pixels);
  const int group_channels = context.kernels.group_channels;
  const std::int64_t groups = (row_length + group_channels - 1) / group_channels;
  context.pool.parallel_for(pieces * groups, [&](int, std::int64_t i) {
    // All groups of a piece one after the other, while its features are in cache. The last groups have the most rows: they go first.
    const int group = static_cast<int>(groups - 1 - i % groups);
    const std::int64_t piece = i / groups;
    double* to = sums + piece * row_length * row_length;
    const std::int64_t first_column = std::int64_t{group} * group_channels;
    const std::int64_t last_column = std::min<std::int64_t>(first_column + group_channels, row_length);
    for (std::int64_t row = 0; row < last_column; ++row) {
      std::fill_n(to + row * row_length + first_column, last_column - first_column, 0.0);
    }
    context.kernels.gram_group(from, pixels, blocks, group, pixels * piece / pieces, pixels * (piece + 1) / pieces, to);
  });
  // Sixteen rows a task: their mirror images fill whole lines of g, which two threads would otherwise take from each other.
  context.pool.parallel_for(blocks, [&](int, std::int64_t block) {
    for (std::int64_t row = block * kBlockChannels; row < std::min(c, (block + 1) * kBlockChannels); ++row) {
      for (std::int64_t column = row; column < c; ++column) {
        double sum = 0;
        for (std::int64_t piece = 0; piece < pieces; ++piece) sum += sums[(piece * row_length + row) * row_length + column];
        g[row * c + column] = g[column * c + row] = static_cast<float>(sum / static_cast<double>(pixels));
      }
    }
  });
}

std::int64_t packed_gram_floats(int channels) {
  const std::int64_t padded = channel_blocks(channels) * kBlockChannels;
  return padded * padded;
}

void pack_gram_term(const Context& context, const GramTerm& term, float* packed) {
  const float* grad_g = static_cast<const float*>(term.grad_g.data);
  const std::int64_t c = term.f.shape.c;
  const std::int64_t row_length = channel_blocks(term.f.shape.c) * kBlockChannels;
  const int group_channels = context.kernels.group_channels;
  context.pool.parallel_for((row_length + group_channels - 1) / group_channels, [&](int, std::int64_t group) {
    const std::int64_t first = group * group_channels;
    const std::int64_t width = std::min<std::int64_t>(group_channels, row_length - first);
    float* to = packed + first * row_length;
    for (std::int64_t row = 0; row < row_length; ++row) {
      for (std::int64_t i = 0; i < width; ++i) {
        const bool inside = row < c && first + i < c;
        to[row * width + i] = inside ? static_cast<float>(term.scale * grad_g[row * c + first + i]) : 0.0f;
      }
    }
  });
}

void add_gram_gradient(const Context& context, const GramTerm& term, const float* packed, float* grad_f) {
  const int blocks = channel_blocks(term.f.shape.c);
  const std::int64_t pixels = term.f.shape.plane();
  context.pool.parallel_for((pixels + kGradientPixels - 1) / kGradientPixels, [&](int, std::int64_t i) {
    context.kernels.gram_gradient(static_cast<const float*>(term.f.data), pixels, blocks, packed, i * kGradientPixels,
                                  std::min(pixels, (i + 1) * kGradientPixels), grad_f);
  });
}

}  // namespace impasto::cpu
