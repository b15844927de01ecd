// 3x3 convolutions between feature planes by Winograd's minimal filtering: the plan, and how its stages are cut among threads.
#include <algorithm>
#include <variant>

#include "kernels/cpu/conv_filters.h"
#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/gram.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/winograd_cut.h"

namespace impasto::cpu {
namespace {

struct Scratch {
  float* filters = nullptr;  // transformed filters of every group, or one group's per worker; nullptr where the plan keeps them
  std::int64_t filters_each = 0;
  InputTiles inputs;  // one block's per worker, or all shared
  std::int64_t inputs_per_worker = 0;
  ProductTiles products;
  std::int64_t products_per_worker = 0;
  float* packed_term = nullptr;  // gradient only
  std::int64_t bytes = 0;
};

// Forward, or the gradient: the convolution with filters turned and transposed.
struct Direction {
  bool transposed = false;
  int in_blocks = 0;
  int out_blocks = 0;
  WinogradCut cut;
  // Transformed filters of every group, where cut.keep_filters: filled by the first run.
  Buffer kept;
  bool kept_filled = false;
};

class WinogradConv : public ConvPlan {
 public:
  WinogradConv(const Context& context, const ConvSpec& spec)
      : context_(context), spec_(spec), filters_(static_cast<const CpuFilters&>(*spec.filters)) {
    const int in_blocks = channel_blocks(spec.input().c);
    const int out_blocks = channel_blocks(spec.convolved().c);
    plan(forward_, false, in_blocks, out_blocks);
    plan(gradient_, true, out_blocks, in_blocks);
  }

  std::int64_t scratch_bytes() const override { return std::max(place(forward_, nullptr).bytes, place(gradient_, nullptr).bytes); }
  std::int64_t held_bytes() const override { return forward_.kept.bytes() + gradient_.kept.bytes(); }

  void forward(Features in, Features out, Mask mask, void* scratch) override {
    check_forward(spec_, in, out, mask);
    ConvJob job = job_of(forward_);
    job.in = static_cast<const float*>(in.data);
    job.epilogue = spec_.epilogue;
    job.bias = filters_.bias();
    job.out = static_cast<float*>(out.data);
    job.out_mask = static_cast<std::uint16_t*>(mask.data);
    run(job, forward_, scratch);
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) override {
    check_gradient(spec_, grad_out, mask, grad_in, plus);
    ConvJob job = job_of(gradient_);
    job.source = source_behind(spec_.epilogue);
    job.in = static_cast<const float*>(grad_out.data);
    job.in_mask = static_cast<const std::uint16_t*>(mask.data);
    job.out = static_cast<float*>(grad_in.data);
    run(job, gradient_, scratch, std::get_if<GramTerm>(&plus));
  }

 private:
  void plan(Direction& direction, bool transposed, int in_blocks, int out_blocks) {
    direction.transposed = transposed;
    direction.in_blocks = in_blocks;
    direction.out_blocks = out_blocks;
    direction.cut = choose_winograd_cut(context_.kernels, in_blocks, out_blocks, spec_.h, spec_.w, context_.pool.size(), context_.tile);
    if (direction.cut.keep_filters) {
      direction.kept = allocate(groups_of(direction) * group_floats(direction) * static_cast<std::int64_t>(sizeof(float)));
    }
  }

  ConvJob job_of(const Direction& direction) const {
    ConvJob job;
    job.in_blocks = direction.in_blocks;
    job.out_blocks = direction.out_blocks;
    job.h = spec_.h;
    job.w = spec_.w;
    job.grid = direction.cut.grid;
    job.filters = filters_.packed();
    job.transposed = direction.transposed;
    return job;
  }

  int group_blocks(const Direction& direction) const {
    return std::min(context_.kernels.group_channels / kBlockChannels, direction.out_blocks);
  }
  int groups_of(const Direction& direction) const {
    const int each = context_.kernels.group_channels / kBlockChannels;
    return (direction.out_blocks + each - 1) / each;
  }
  static std::int64_t positions(const Direction& direction) { return direction.cut.grid.positions(); }
  static std::int64_t whole_lines(std::int64_t floats) { return aligned(floats * 4) / 4; }
  // Of one group's transformed filters.
  std::int64_t group_floats(const Direction& direction) const {
    return whole_lines(positions(direction) * filter_position(direction.in_blocks, group_blocks(direction) * kBlockChannels));
  }

  Scratch place(const Direction& direction, void* memory) const {
    const WinogradCut& cut = direction.cut;
    const std::int64_t workers = context_.pool.size();
    const bool tiles_outer = cut.order == WinogradOrder::kTilesOuter;
    ScratchCutter cutter(memory);
    Scratch scratch;
    scratch.filters_each = group_floats(direction);
    if (!cut.keep_filters) scratch.filters = cutter.take<float>((tiles_outer ? groups_of(direction) : workers) * scratch.filters_each);
    scratch.inputs.capacity = tiles_outer ? cut.block_tiles : cut.grid.tiles;
    scratch.inputs.position = odd_lines(direction.in_blocks * scratch.inputs.capacity * kBlockChannels);
    const std::int64_t inputs = positions(direction) * scratch.inputs.position;
    scratch.inputs_per_worker = tiles_outer ? whole_lines(inputs) : 0;
    scratch.inputs.data = cutter.take<float>(tiles_outer ? workers * scratch.inputs_per_worker : inputs);
    scratch.products.capacity = cut.block_tiles;
    scratch.products.position = odd_lines(group_blocks(direction) * cut.block_tiles * kBlockChannels);
    scratch.products_per_worker = whole_lines(positions(direction) * scratch.products.position);
    scratch.products.data = cutter.take<float>(workers * scratch.products_per_worker);
    if (direction.transposed) scratch.packed_term = cutter.take<float>(packed_gram_floats(spec_.input().c));
    scratch.bytes = cutter.used();
    return scratch;
  }

  void run(const ConvJob& job, Direction& direction, void* memory, const GramTerm* plus = nullptr) {
    const Scratch scratch = place(direction, memory);
    if (plus != nullptr) pack_gram_term(context_, *plus, scratch.packed_term);
    // Where a task writes all channels of its tiles, it adds their term while they are in its cache.
    const bool tiles_outer = direction.cut.order == WinogradOrder::kTilesOuter;
    const bool fused = tiles_outer && direction.cut.splits == 1;
    if (tiles_outer) {
      float* filters = direction.cut.keep_filters ? static_cast<float*>(direction.kept.data()) : scratch.filters;
      if (!direction.kept_filled) transform_filters(job, direction, filters, scratch.filters_each);
      direction.kept_filled = direction.cut.keep_filters;
      run_tiles_outer(job, direction, filters, scratch, fused ? plus : nullptr);
    } else {
      run_filters_outer(job, direction, scratch);
    }
    if (plus != nullptr && !fused) add_gram_gradient(context_, *plus, scratch.packed_term, job.out);
  }

  void transform_filters(const ConvJob& job, const Direction& direction, float* filters, std::int64_t filters_each) const {
    context_.pool.parallel_for(std::int64_t{groups_of(direction)} * job.in_blocks, [&](int, std::int64_t i) {
      const int group = static_cast<int>(i / job.in_blocks);
      context_.kernels.winograd_filters(job, group, static_cast<int>(i % job.in_blocks), filters + group * filters_each);
    });
  }

  void run_tiles_outer(const ConvJob& job, const Direction& direction, float* filters, const Scratch& scratch, const GramTerm* plus) const {
    const KernelTable& kernels = context_.kernels;
    const WinogradCut& cut = direction.cut;
    const int groups = groups_of(direction);
    const std::int64_t tiles = job.grid.tiles;
    context_.pool.parallel_for(cut.blocks * cut.splits, [&](int worker, std::int64_t task) {
      const std::int64_t block = task / cut.splits;
      const int split = static_cast<int>(task % cut.splits);
      const std::int64_t first = tiles * block / cut.blocks;
      const std::int64_t count = tiles * (block + 1) / cut.blocks - first;
      InputTiles inputs = scratch.inputs;
      inputs.data += worker * scratch.inputs_per_worker;
      ProductTiles products = scratch.products;
      products.data += worker * scratch.products_per_worker;
      kernels.winograd_input(job, 0, job.in_blocks, first, count, inputs);
      for (int group = groups * split / cut.splits; group < groups * (split + 1) / cut.splits; ++group) {
        kernels.winograd_products(job, group, filters + group * scratch.filters_each, inputs, products, first, count);
        kernels.winograd_output(job, group, first, count, products);
      }
      if (plus != nullptr) add_term_to_tiles(job, *plus, scratch.packed_term, first, first + count);
    });
  }

  void add_term_to_tiles(const ConvJob& job, const GramTerm& plus, const float* packed, std::int64_t first, std::int64_t last) const {
    const std::int64_t plane = std::int64_t{job.h} * job.w;
    while (first < last) {
      // What lies of them side by side: runs of whole pixels.
      const TilePlace place = place_of(job.grid, first);
      const std::int64_t count = std::min(last - first, place.run);
      const std::int64_t x1 = std::min<std::int64_t>(place.x0 + count * place.w, job.w);
      for (std::int64_t y = place.y0; y < std::min<std::int64_t>(place.y0 + place.h, job.h); ++y) {
        context_.kernels.gram_gradient(static_cast<const float*>(plus.f.data), plane, job.out_blocks, packed, y * job.w + place.x0,
                                       y * job.w + x1, job.out);
      }
      first += count;
    }
  }

  void run_filters_outer(const ConvJob& job, const Direction& direction, const Scratch& scratch) const {
    const KernelTable& kernels = context_.kernels;
    const std::int64_t tiles = job.grid.tiles;
    // By blocks of channels: each writes whole stretches of every position.
    context_.pool.parallel_for(job.in_blocks, [&](int, std::int64_t i) {
      const int block = static_cast<int>(i);
      kernels.winograd_input(job, block, block + 1, 0, tiles, scratch.inputs);
    });
    context_.pool.parallel_for(groups_of(direction), [&](int worker, std::int64_t i) {
      const int group = static_cast<int>(i);
      float* filters = scratch.filters + worker * scratch.filters_each;
      ProductTiles products = scratch.products;
      products.data += worker * scratch.products_per_worker;
      for (int in_block = 0; in_block < job.in_blocks; ++in_block) kernels.winograd_filters(job, group, in_block, filters);
      kernels.winograd_products(job, group, filters, scratch.inputs, products, 0, tiles);
      kernels.winograd_output(job, group, 0, tiles, products);
    });
  }

  Context context_;
  ConvSpec spec_;
  const CpuFilters& filters_;
  Direction forward_;
  Direction gradient_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_winograd_conv(const Context& context, const ConvSpec& spec) {
  return std::make_unique<WinogradConv>(context, spec);
}

}  // namespace impasto::cpu
