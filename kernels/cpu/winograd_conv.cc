// 3x3 convolutions between feature planes by Winograd's minimal filtering: the plan, and how its stages are cut among threads.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/winograd_cut.h"

namespace impasto::cpu {
namespace {

constexpr std::int64_t kPackedBlock = 9 * kBlockChannels * kBlockChannels;

// (out block, in block, tap, 16 input channels, 16 output channels), zero where channels are padding: what both directions can read
// whole vectors of, so that one copy serves both.
void pack_filters(const ConvSpec& spec, ThreadPool& pool, float* packed) {
  const int in_blocks = channel_blocks(spec.input.c);
  pool.parallel_for(channel_blocks(spec.out_channels), [&](int, std::int64_t out_block) {
    float* to = packed + out_block * in_blocks * kPackedBlock;
    std::memset(to, 0, static_cast<std::size_t>(in_blocks * kPackedBlock) * sizeof(float));
    const int outs = std::min(kBlockChannels, spec.out_channels - static_cast<int>(out_block) * kBlockChannels);
    for (int k = 0; k < outs; ++k) {
      const float* from = spec.weight + (out_block * kBlockChannels + k) * std::int64_t{spec.input.c} * 9;
      for (int c = 0; c < spec.input.c; ++c) {
        float* block = to + c / kBlockChannels * kPackedBlock + c % kBlockChannels * kBlockChannels + k;
        for (int tap = 0; tap < 9; ++tap) block[tap * kBlockChannels * kBlockChannels] = from[c * 9 + tap];
      }
    }
  });
}

struct Scratch {
  float* filters = nullptr;  // transformed filters of every group, or one group's per worker
  std::int64_t filters_each = 0;
  InputTiles inputs;  // one block's per worker, or all shared
  std::int64_t inputs_per_worker = 0;
  ProductTiles products;
  std::int64_t products_per_worker = 0;
  std::int64_t bytes = 0;
};

class WinogradConv : public ConvPlan {
 public:
  WinogradConv(const Context& context, const ConvSpec& spec)
      : context_(context),
        spec_(spec),
        in_blocks_(channel_blocks(spec.input.c)),
        out_blocks_(channel_blocks(spec.out_channels)),
        forward_cut_(
            choose_winograd_cut(context.kernels, in_blocks_, out_blocks_, spec.input.h, spec.input.w, context.pool.size(), context.tile)),
        gradient_cut_(
            choose_winograd_cut(context.kernels, out_blocks_, in_blocks_, spec.input.h, spec.input.w, context.pool.size(), context.tile)),
        filters_(allocate(in_blocks_ * std::int64_t{out_blocks_} * kPackedBlock * static_cast<std::int64_t>(sizeof(float)))),
        bias_(allocate(out_blocks_ * kBlockChannels * static_cast<std::int64_t>(sizeof(float)))) {
    pack_filters(spec, context.pool, static_cast<float*>(filters_.data()));
    float* bias = static_cast<float*>(bias_.data());
    std::fill_n(bias, out_blocks_ * kBlockChannels, 0.0f);
    std::copy_n(spec.bias, spec.out_channels, bias);
  }

  std::int64_t scratch_bytes() const override {
    return std::max(place(forward_cut_, in_blocks_, out_blocks_, nullptr).bytes,
                    place(gradient_cut_, out_blocks_, in_blocks_, nullptr).bytes);
  }

  void forward(Features in, Features out, Mask mask, void* scratch) const override {
    check_forward(spec_, in, out, mask);
    WinogradJob job = job_of(forward_cut_, in_blocks_, out_blocks_);
    job.in = static_cast<const float*>(in.data);
    job.epilogue = spec_.epilogue;
    job.bias = static_cast<const float*>(bias_.data());
    job.out = static_cast<float*>(out.data);
    job.out_mask = static_cast<std::uint16_t*>(mask.data);
    run(job, forward_cut_, place(forward_cut_, in_blocks_, out_blocks_, scratch));
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch) const override {
    check_gradient(spec_, grad_out, mask, grad_in);
    WinogradJob job = job_of(gradient_cut_, out_blocks_, in_blocks_);
    switch (spec_.epilogue) {
      case Epilogue::kNone:
        job.source = Source::kPlain;
        break;
      case Epilogue::kRelu:
        job.source = Source::kMasked;
        break;
      case Epilogue::kReluMaxPool:
        job.source = Source::kMaxUnpooled;
        break;
      case Epilogue::kReluAveragePool:
        job.source = Source::kAverageUnpooled;
        break;
    }
    job.in = static_cast<const float*>(grad_out.data);
    job.in_mask = static_cast<const std::uint16_t*>(mask.data);
    job.out = static_cast<float*>(grad_in.data);
    job.transposed = true;
    run(job, gradient_cut_, place(gradient_cut_, out_blocks_, in_blocks_, scratch));
  }

 private:
  WinogradJob job_of(const WinogradCut& cut, int in_blocks, int out_blocks) const {
    WinogradJob job;
    job.tile = cut.tile;
    job.in_blocks = in_blocks;
    job.out_blocks = out_blocks;
    job.h = spec_.input.h;
    job.w = spec_.input.w;
    job.tiles_x = (job.w + cut.tile - 1) / cut.tile;
    job.filters = static_cast<const float*>(filters_.data());
    return job;
  }

  int group_blocks() const { return context_.kernels.group_channels / kBlockChannels; }
  int groups_of(int out_blocks) const { return (out_blocks + group_blocks() - 1) / group_blocks(); }

  Scratch place(const WinogradCut& cut, int in_blocks, int out_blocks, void* memory) const {
    const std::int64_t positions = (cut.tile + 2) * (cut.tile + 2);
    const std::int64_t workers = context_.pool.size();
    const bool tiles_outer = cut.order == WinogradOrder::kTilesOuter;
    const int group = std::min(group_blocks(), out_blocks);
    const auto whole_lines = [](std::int64_t floats) { return aligned(floats * 4) / 4; };
    ScratchCutter cutter(memory);
    Scratch scratch;
    const int slice_blocks = (in_blocks + cut.slices - 1) / cut.slices;
    scratch.filters_each = whole_lines(positions * filter_position(slice_blocks, group * kBlockChannels));
    scratch.filters = cutter.take<float>((tiles_outer ? groups_of(out_blocks) : workers) * scratch.filters_each);
    scratch.inputs.capacity = tiles_outer ? cut.block_tiles : tile_count(cut.tile, spec_.input.h, spec_.input.w);
    scratch.inputs.position = in_blocks * scratch.inputs.capacity * kBlockChannels + kSetPadding;
    scratch.inputs_per_worker = tiles_outer ? whole_lines(positions * scratch.inputs.position) : 0;
    scratch.inputs.data = cutter.take<float>(tiles_outer ? workers * scratch.inputs_per_worker : positions * scratch.inputs.position);
    scratch.products.capacity = cut.block_tiles;
    scratch.products.position = group * cut.block_tiles * kBlockChannels + kSetPadding;
    scratch.products_per_worker = whole_lines(positions * scratch.products.position);
    scratch.products.data = cutter.take<float>(workers * scratch.products_per_worker);
    scratch.bytes = cutter.used();
    return scratch;
  }

  void run(const WinogradJob& job, const WinogradCut& cut, const Scratch& scratch) const {
    if (cut.order == WinogradOrder::kTilesOuter) {
      run_tiles_outer(job, cut, scratch);
    } else {
      run_filters_outer(job, cut, scratch);
    }
  }

  void run_tiles_outer(const WinogradJob& job, const WinogradCut& cut, const Scratch& scratch) const {
    const KernelTable& kernels = context_.kernels;
    const int groups = groups_of(job.out_blocks);
    const auto all_filters = [&](int group) { return GroupFilters{scratch.filters + group * scratch.filters_each, 0, job.in_blocks}; };
    context_.pool.parallel_for(std::int64_t{groups} * job.in_blocks, [&](int, std::int64_t i) {
      const int group = static_cast<int>(i / job.in_blocks);
      kernels.winograd_filters(job, group, static_cast<int>(i % job.in_blocks), all_filters(group));
    });
    const std::int64_t tiles = tile_count(job.tile, job.h, job.w);
    context_.pool.parallel_for(cut.blocks * cut.splits, [&](int worker, std::int64_t task) {
      const std::int64_t block = task / cut.splits;
      const int split = static_cast<int>(task % cut.splits);
      const std::int64_t first = tiles * block / cut.blocks;
      const std::int64_t count = tiles * (block + 1) / cut.blocks - first;
      InputTiles inputs = scratch.inputs;
      inputs.data += worker * scratch.inputs_per_worker;
      ProductTiles products = scratch.products;
      products.data += worker * scratch.products_per_worker;
      kernels.winograd_input(job, first, count, inputs, 0);
      for (int group = groups * split / cut.splits; group < groups * (split + 1) / cut.splits; ++group) {
        kernels.winograd_products(job, group, all_filters(group), inputs, 0, count, products, first);
        kernels.winograd_output(job, group, first, count, products);
      }
    });
  }

  void run_filters_outer(const WinogradJob& job, const WinogradCut& cut, const Scratch& scratch) const {
    const KernelTable& kernels = context_.kernels;
    const std::int64_t tiles = tile_count(job.tile, job.h, job.w);
    // Tiles per task of the input transform: few, there are few.
    constexpr std::int64_t kInputTiles = 4;
    context_.pool.parallel_for((tiles + kInputTiles - 1) / kInputTiles, [&](int, std::int64_t i) {
      const std::int64_t first = i * kInputTiles;
      kernels.winograd_input(job, first, std::min(kInputTiles, tiles - first), scratch.inputs, first);
    });
    context_.pool.parallel_for(groups_of(job.out_blocks), [&](int worker, std::int64_t i) {
      const int group = static_cast<int>(i);
      ProductTiles products = scratch.products;
      products.data += worker * scratch.products_per_worker;
      for (int slice = 0; slice < cut.slices; ++slice) {
        const int first = job.in_blocks * slice / cut.slices;
        const int last = job.in_blocks * (slice + 1) / cut.slices;
        const GroupFilters filters{scratch.filters + worker * scratch.filters_each, first, last - first};
        for (int in_block = first; in_block < last; ++in_block) kernels.winograd_filters(job, group, in_block, filters);
        kernels.winograd_products(job, group, filters, scratch.inputs, 0, tiles, products, slice + 1 == cut.slices ? 0 : -1);
      }
      kernels.winograd_output(job, group, 0, tiles, products);
    });
  }

  Context context_;
  ConvSpec spec_;
  int in_blocks_;
  int out_blocks_;
  WinogradCut forward_cut_;
  WinogradCut gradient_cut_;
  Buffer filters_;
  Buffer bias_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_winograd_conv(const Context& context, const ConvSpec& spec) {
  return std::make_unique<WinogradConv>(context, spec);
}

}  // namespace impasto::cpu
