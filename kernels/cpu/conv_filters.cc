#include "kernels/cpu/conv_filters.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/image_conv.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/memory.h"

namespace impasto::cpu {

CpuFilters::CpuFilters(const FilterSpec& spec, ThreadPool& pool, const KernelTable& kernels)
    : Filters(spec),
      packed_(allocate(channel_blocks(in_channels) * std::int64_t{channel_blocks(out_channels)} * kPackedBlock *
                       static_cast<std::int64_t>(sizeof(float)))),
      bias_(allocate(channel_blocks(out_channels) * kBlockChannels * static_cast<std::int64_t>(sizeof(float)))) {
  pack(spec, pool);
  float* bias = static_cast<float*>(bias_.data());
  std::fill_n(bias, channel_blocks(out_channels) * kBlockChannels, 0.0f);
  std::copy(spec.bias.begin(), spec.bias.end(), bias);
  if (reads_image) pack_for_image(spec, kernels.group_channels);
}

void CpuFilters::pack(const FilterSpec& spec, ThreadPool& pool) {
  const int in_blocks = channel_blocks(in_channels);
  pool.parallel_for(channel_blocks(out_channels), [&](int, std::int64_t out_block) {
    float* to = static_cast<float*>(packed_.data()) + out_block * in_blocks * kPackedBlock;
    std::memset(to, 0, static_cast<std::size_t>(in_blocks * kPackedBlock) * sizeof(float));
    const int outs = std::min(kBlockChannels, out_channels - static_cast<int>(out_block) * kBlockChannels);
    for (int k = 0; k < outs; ++k) {
      const float* from = spec.weight.data() + (out_block * kBlockChannels + k) * std::int64_t{in_channels} * 9;
      for (int c = 0; c < in_channels; ++c) {
        float* block = to + c / kBlockChannels * kPackedBlock + c % kBlockChannels * kBlockChannels + k;
        for (int tap = 0; tap < 9; ++tap) block[tap * kBlockChannels * kBlockChannels] = from[c * 9 + tap];
      }
    }
  });
}

void CpuFilters::pack_for_image(const FilterSpec& spec, int group_channels) {
  const int inner = channel_blocks(out_channels) * kBlockChannels;
  const auto take_both = [&](ScratchCutter& cutter) {
    float* forward = cutter.take<float>(inner * kImageInputs);
    return std::pair(forward, cutter.take<float>(inner * kImageTaps));
  };
  ScratchCutter measure(nullptr);
  take_both(measure);
  image_ = allocate(measure.used());
  std::memset(image_.data(), 0, static_cast<std::size_t>(image_.bytes()));
  ScratchCutter cutter(image_.data());
  const auto [forward, gradient] = take_both(cutter);
  for (int k = 0; k < out_channels; ++k) {
    // Groups are whole but for the last.
    const int first = k / group_channels * group_channels;
    const int width = std::min(group_channels, inner - first);
    for (int tap = 0; tap < kImageInputs; ++tap) {
      const float weight = spec.weight[static_cast<std::size_t>(k * kImageInputs + tap)];
      forward[first * kImageInputs + tap * width + k - first] = weight;
      gradient[(tap / group_channels * inner + k) * group_channels + tap % group_channels] = weight;
    }
  }
  image_forward_ = forward;
  image_gradient_ = gradient;
}

}  // namespace impasto::cpu
