// 3x3 convolutions that read a picture (conv1_1), and the gradient that reaches it: direct, by rows.
#include "kernels/cpu/image_conv.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/cpu/conv_filters.h"
#include "kernels/cpu/conv_plans.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/variation_sum.h"

namespace impasto::cpu {
namespace {

// Rows of the gradient that one task takes. It needs the products of one row more at either end; those before it are there where its worker
// has just done the strip before.
constexpr int kStripRows = 16;

// Output of as many bytes is written past the cache: twice the second level of today's machines. At 400x300 (31 MB) 5.7 -> 5.0 ms; at
// 100x75 (2 MB) an evaluation would take 2% longer.
constexpr std::int64_t kPastCacheBytes = std::int64_t{4} << 20;

class ImageConv : public ConvPlan {
 public:
  ImageConv(const Context& context, const ConvSpec& spec)
      : context_(context),
        spec_(spec),
        blocks_(channel_blocks(spec.convolved().c)),
        line_(spec.w + 1 + 2 * context.kernels.group_rows),
        products_line_(spec.w + 2 + kImageSegment),
        filters_(static_cast<const CpuFilters&>(*spec.filters)),
        last_strip_(static_cast<std::size_t>(context.pool.size())) {}

  std::int64_t scratch_bytes() const override {
    return std::max(context_.pool.size() * forward_scratch() * static_cast<std::int64_t>(sizeof(float)),
                    gradient_scratch_of_all() + VariationSum::scratch_bytes(strips()));
  }

  void forward(Features in, Features out, Mask mask, void* scratch) override {
    check_forward(spec_, in, out, mask);
    const Shape shape = spec_.input();
    const float* picture = static_cast<const float*>(in.data);
    float* to = static_cast<float*>(out.data);
    std::uint16_t* bits = spec_.epilogue == Epilogue::kNone ? nullptr : static_cast<std::uint16_t*>(mask.data);
    const bool past_cache = blocks_ * kBlockChannels * shape.plane() * static_cast<std::int64_t>(sizeof(float)) >= kPastCacheBytes;
    context_.pool.parallel_for(shape.h, [&](int worker, std::int64_t y) {
      float* rows = static_cast<float*>(scratch) + worker * forward_scratch();
      for (int channel = 0; channel < shape.c; ++channel) {
        for (int ky = 0; ky < 3; ++ky) {
          float* row = rows + (channel * 3 + ky) * line_;
          const std::int64_t from = y + ky - 1;
          const bool inside = from >= 0 && from < shape.h;
          row[0] = 0.0f;
          if (inside) std::copy_n(picture + channel * shape.plane() + from * shape.w, shape.w, row + 1);
          const std::int64_t filled = inside ? shape.w + 1 : 1;
          std::fill_n(row + filled, line_ - filled, 0.0f);
        }
      }
      context_.kernels.image_conv_row(rows, line_, shape.w, filters_.image_forward(), filters_.bias(), blocks_,
                                      spec_.epilogue == Epilogue::kRelu, past_cache, to + y * shape.w * kBlockChannels,
                                      bits == nullptr ? nullptr : bits + y * shape.w, shape.plane());
    });
  }

  void gradient(Features grad_out, Mask mask, Features grad_in, void* scratch, const LossTerm& plus) override {
    check_gradient(spec_, grad_out, mask, grad_in, plus);
    const Shape shape = spec_.input();
    const float* grad = static_cast<const float*>(grad_out.data);
    const std::uint16_t* bits = spec_.epilogue == Epilogue::kNone ? nullptr : static_cast<const std::uint16_t*>(mask.data);
    float* to = static_cast<float*>(grad_in.data);
    const VariationSum variation(context_.kernels, plus, shape, grad_in, static_cast<char*>(scratch) + gradient_scratch_of_all(), strips());
    std::fill(last_strip_.begin(), last_strip_.end(), -2);
    context_.pool.parallel_for(strips(), [&](int worker, std::int64_t strip) {
      variation.begin(strip);
      float* gathered = static_cast<float*>(scratch) + worker * gradient_scratch();
      float* ring = gathered + blocks_ * kImageSegment * kBlockChannels;
      const std::int64_t first = strip * kStripRows;
      const std::int64_t last = std::min<std::int64_t>(first + kStripRows, shape.h);
      const std::int64_t first_missing = last_strip_[static_cast<std::size_t>(worker)] == strip - 1 ? first + 1 : first - 1;
      last_strip_[static_cast<std::size_t>(worker)] = strip;
      const auto products_of = [&](std::int64_t y) -> float* {
        return y < 0 || y >= shape.h ? nullptr : ring + (y % 3) * kImageTaps * products_line_;
      };
      for (std::int64_t y = first - 1; y <= last; ++y) {
        if (float* products = products_of(y); products != nullptr && y >= first_missing) {
          context_.kernels.image_gradient_products(grad + y * shape.w * kBlockChannels, bits == nullptr ? nullptr : bits + y * shape.w,
                                                   shape.plane(), shape.w, blocks_, filters_.image_gradient(), gathered, products,
                                                   products_line_);
        }
        if (y <= first) continue;
        const float* const around[3] = {products_of(y - 2), products_of(y - 1), products_of(y)};
        for (int channel = 0; channel < shape.c; ++channel) {
          context_.kernels.image_gradient_row(around, products_line_, channel, shape.w, to + channel * shape.plane() + (y - 1) * shape.w);
          variation.add_row(strip, channel, y - 1);
        }
      }
    });
    variation.finish();
  }

 private:
  std::int64_t strips() const { return (spec_.h + kStripRows - 1) / kStripRows; }
  // Floats of one worker.
  std::int64_t forward_scratch() const { return aligned(3 * 3 * line_ * 4) / 4; }
  std::int64_t gradient_scratch() const {
    return aligned((blocks_ * kImageSegment * kBlockChannels + 3 * kImageTaps * products_line_) * 4) / 4;
  }
  // Bytes of all workers, behind which the shares of total variation lie.
  std::int64_t gradient_scratch_of_all() const {
    return context_.pool.size() * gradient_scratch() * static_cast<std::int64_t>(sizeof(float));
  }

  Context context_;
  ConvSpec spec_;
  int blocks_;
  std::int64_t line_;
  std::int64_t products_line_;
  const CpuFilters& filters_;
  // Of each worker, during gradient(): the strip whose last rows' products its ring holds.
  std::vector<std::int64_t> last_strip_;
};

}  // namespace

std::unique_ptr<ConvPlan> plan_image_conv(const Context& context, const ConvSpec& spec) {
  return std::make_unique<ImageConv>(context, spec);
}

}  // namespace impasto::cpu
