// 3x3 convolutions between feature planes by direct sums in double: the exact mode's, and how it is cut among threads.
#include <algorithm>
#include <variant>

#include "kernels/cpu/conv_filters.h"
#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/gram.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"

namespace impasto::cpu {
namespace {

// Blocks of output channels of one task: enough that gathering what a patch reads is some 3% of it, few enough that the small planes of
// conv4 and conv5 make work for many threads.
constexpr int kTaskBlocks = 4;

struct Scratch {
  double* filters = nullptr;
  double* source = nullptr;  // source_each a worker
  std::int64_t source_each = 0;
  float* packed_term = nullptr;  // gradient only
  std::int64_t bytes = 0;
};

class DirectConv : public ConvPlan {
 public:
  DirectConv(const Context& context, const ConvSpec& spec)
      : context_(context), spec_(spec), filters_(static_cast<const CpuFilters&>(*spec.filters)) {}

  std::int64_t scratch_bytes() const override { return std::max(place(job(false), nullptr).bytes, place(job(true), nullptr).bytes); }

  void forward(Features in, Features out, Mask mask, void* scratch) override {
    check_forward(spec_, in, out, mask);
    ConvJob forward = job(false);
    forward.in = static_cast<const float*>(in.data);
    forward.epilogue = spec_.epilogue;
    forward.bias = filters_.bias();
    forward.out = static_cast<float*>(out.data);
    forward.out_mask = static_cast<std::uint16_t*>(mask.data);
    run(forward, place(forward, scratch));
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) override {
    check_gradient(spec_, grad_out, mask, grad_in, plus);
    ConvJob gradient = job(true);
    gradient.source = source_behind(spec_.epilogue);
    gradient.in = static_cast<const float*>(grad_out.data);
    gradient.in_mask = static_cast<const std::uint16_t*>(mask.data);
    gradient.out = static_cast<float*>(grad_in.data);
    const Scratch placed = place(gradient, scratch);
    run(gradient, placed);
    const GramTerm* term = std::get_if<GramTerm>(&plus);
    if (term == nullptr) return;
    pack_gram_term(context_, *term, placed.packed_term);
    add_gram_gradient(context_, *term, placed.packed_term, gradient.out);
  }

 private:
  ConvJob job(bool transposed) const {
    ConvJob made;
    made.in_blocks = channel_blocks((transposed ? spec_.convolved() : spec_.input()).c);
    made.out_blocks = channel_blocks((transposed ? spec_.input() : spec_.convolved()).c);
    made.h = spec_.h;
    made.w = spec_.w;
    made.filters = filters_.packed();
    made.transposed = transposed;
    return made;
  }

  Scratch place(const ConvJob& job, void* memory) const {
    ScratchCutter cutter(memory);
    Scratch scratch;
    scratch.filters = cutter.take<double>(job.out_blocks * filters_each(job));
    scratch.source_each = job.in_blocks * kPatchBlock;
    scratch.source = cutter.take<double>(context_.pool.size() * scratch.source_each);
    if (job.transposed) scratch.packed_term = cutter.take<float>(packed_gram_floats(spec_.input().c));
    scratch.bytes = cutter.used();
    return scratch;
  }
  static std::int64_t filters_each(const ConvJob& job) { return job.in_blocks * kPackedBlock; }

  void run(const ConvJob& job, const Scratch& scratch) const {
    context_.pool.parallel_for(job.out_blocks, [&](int, std::int64_t block) {
      context_.kernels.direct_filters(job, static_cast<int>(block), scratch.filters + block * filters_each(job));
    });
    const std::int64_t across = (job.w + kPatchColumns - 1) / kPatchColumns;
    const std::int64_t patches = (job.h + kPatchRows - 1) / kPatchRows * across;
    const std::int64_t shares = (job.out_blocks + kTaskBlocks - 1) / kTaskBlocks;
    context_.pool.parallel_for(patches * shares, [&](int worker, std::int64_t task) {
      const std::int64_t patch = task / shares;
      const int first = static_cast<int>(task % shares) * kTaskBlocks;
      context_.kernels.direct_patch(job, patch / across * kPatchRows, patch % across * kPatchColumns, first,
                                    std::min(first + kTaskBlocks, job.out_blocks), scratch.filters,
                                    scratch.source + worker * scratch.source_each);
    });
  }

  Context context_;
  ConvSpec spec_;
  const CpuFilters& filters_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_direct_conv(const Context& context, const ConvSpec& spec) {
  return std::make_unique<DirectConv>(context, spec);
}

}  // namespace impasto::cpu
