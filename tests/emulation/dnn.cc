// Stands in for cuDNN under kernels/cuda/dnn.h: the same convolutions by loops, of operands rounded as tensor cores take them. Its plans
// ask for a workspace, as cuDNN's for copies of the tensors unless memory is preferred, and fill it with NaN before and after, so that a
// workspace which overlaps what they read or what they write shows. There are three engines, which compute the same: number 11, which is
// the first in the order of heuristics, takes 40 microseconds; 12, the quickest, 10, but a hundred times as long when it first runs, and a
// workspace larger by 16 MiB; 13 takes 20.
#include "kernels/cuda/dnn.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/emulation/fault_gate.h"
#include "tests/emulation/rounding.h"

namespace impasto::cuda {
namespace {

constexpr std::int64_t kLeastWorkspaceFloats = 193;

using std::chrono::microseconds;

struct Engine {
  std::int64_t number;
  microseconds takes;
  microseconds takes_first;
  std::int64_t more_workspace_floats;
};

constexpr std::array<Engine, 3> kEngines = {{
    {11, microseconds(40), microseconds(40), 0},
    {12, microseconds(10), microseconds(1000), std::int64_t{4} << 20},
    {13, microseconds(20), microseconds(20), 0},
}};

// What of an engine's setting the preference is.
constexpr std::int64_t kCopiesKnob = 5;

EngineChoice choice_of(const Engine& engine, Prefer prefer) {
  return {engine.number, {{2, 7}, {kCopiesKnob, prefer == Prefer::kSpeed ? 1 : 0}}};
}

class Plan : public DnnPlan {
 public:
  Plan(cudaStream_t stream, const Convolution& convolution, const Engine& engine, Prefer prefer)
      : stream_(stream),
        convolution_(convolution),
        engine_(engine),
        workspace_floats_(kLeastWorkspaceFloats + engine.more_workspace_floats) {
    if (prefer == Prefer::kSpeed) {
      workspace_floats_ += std::int64_t{convolution.in_channels + convolution.out_channels} * convolution.h * convolution.w;
    }
  }

  std::int64_t workspace_bytes() const override { return workspace_floats_ * std::int64_t{sizeof(float)}; }

  void run(const void* from, const void* filters, const void* bias, void* to, void* workspace) override {
    const microseconds takes = std::exchange(has_run_, true) ? engine_.takes : engine_.takes_first;
    emulation::enqueue_library_call(
        "cuDNN convolution", stream_, [=, this] { compute(from, filters, bias, to, workspace); }, takes);
  }

 private:
  void compute(const void* from, const void* filters, const void* bias, void* to, void* workspace) const {
    spoil(workspace);
    convolve(from, filters, bias, to);
    spoil(workspace);
  }

  void spoil(void* workspace) const {
    std::fill_n(static_cast<float*>(workspace), workspace_floats_, std::numeric_limits<float>::quiet_NaN());
  }

  void convolve(const void* from, const void* filters, const void* bias, void* to) const {
    const bool back = convolution_.kind == Convolution::Kind::kGradient;
    const int ins = back ? convolution_.out_channels : convolution_.in_channels;
    const int outs = back ? convolution_.in_channels : convolution_.out_channels;
    // (9 taps, ins, outs): taps turned by 180 degrees for the gradient.
    std::vector<float> weight(static_cast<std::size_t>(9) * ins * outs);
    for (int k = 0; k < convolution_.out_channels; ++k) {
      for (int tap = 0; tap < 9; ++tap) {
        for (int c = 0; c < convolution_.in_channels; ++c) {
          const float value = operand(filters, (std::int64_t{k} * 9 + tap) * convolution_.in_channels + c);
          const std::size_t place =
              back ? (static_cast<std::size_t>(8 - tap) * ins + k) * outs + c : (static_cast<std::size_t>(tap) * ins + c) * outs + k;
          weight[place] = value;
        }
      }
    }
    std::vector<float> input(static_cast<std::size_t>(convolution_.h) * convolution_.w * ins);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = operand(from, static_cast<std::int64_t>(i));
    std::vector<float> sums(static_cast<std::size_t>(outs));
    // Of one tap: thousands of terms in one float32 sum err more than any library's blocks.
    std::vector<float> of_tap(static_cast<std::size_t>(outs));
    for (int y = 0; y < convolution_.h; ++y) {
      for (int x = 0; x < convolution_.w; ++x) {
        for (int k = 0; k < outs; ++k)
          sums[k] = back ? 0.0f : emulation::operand(bias, storage_of(convolution_.precision), Precision::kFp32, k);
        for (int tap = 0; tap < 9; ++tap) {
          const int row = y + tap / 3 - 1;
          const int column = x + tap % 3 - 1;
          if (row < 0 || row >= convolution_.h || column < 0 || column >= convolution_.w) continue;
          std::fill(of_tap.begin(), of_tap.end(), 0.0f);
          const float* pixel = input.data() + (static_cast<std::size_t>(row) * convolution_.w + column) * ins;
          for (int c = 0; c < ins; ++c) {
            const float* w = weight.data() + (static_cast<std::size_t>(tap) * ins + c) * outs;
            for (int k = 0; k < outs; ++k) of_tap[k] += pixel[c] * w[k];
          }
          for (int k = 0; k < outs; ++k) sums[k] += of_tap[k];
        }
        const std::int64_t out = (std::int64_t{y} * convolution_.w + x) * outs;
        for (int k = 0; k < outs; ++k) {
          // NaN stays NaN, as cuDNN is asked to keep it.
          const float value = convolution_.kind == Convolution::Kind::kForwardRelu && sums[k] <= 0 ? 0.0f : sums[k];
          emulation::store(value, to, storage_of(convolution_.precision), out + k);
        }
      }
    }
  }

  float operand(const void* numbers, std::int64_t i) const {
    return emulation::operand(numbers, storage_of(convolution_.precision), convolution_.precision, i);
  }

  cudaStream_t stream_;
  Convolution convolution_;
  Engine engine_;
  std::int64_t workspace_floats_;
  bool has_run_ = false;
};

class Loops : public Dnn {
 public:
  explicit Loops(cudaStream_t stream) : stream_(stream) {}

  std::unique_ptr<DnnPlan> plan(const Convolution& convolution, Prefer prefer) override {
    emulation::pass_library_call("cuDNN plan");
    return std::make_unique<Plan>(stream_, convolution, kEngines.front(), prefer);
  }

  std::string version() const override { return "9.99.0"; }

  std::vector<EngineChoice> choices(const Convolution&, Prefer prefer, std::size_t most) override {
    emulation::pass_library_call("cuDNN heuristics");
    std::vector<EngineChoice> made;
    for (const Engine& engine : kEngines) {
      if (made.size() < most) made.push_back(choice_of(engine, prefer));
    }
    return made;
  }

  std::unique_ptr<DnnPlan> plan(const Convolution& convolution, const EngineChoice& choice) override {
    emulation::pass_library_call("cuDNN plan");
    for (const Engine& engine : kEngines) {
      for (const Prefer prefer : {Prefer::kSpeed, Prefer::kMemory}) {
        if (choice == choice_of(engine, prefer)) return std::make_unique<Plan>(stream_, convolution, engine, prefer);
      }
    }
    return nullptr;
  }

 private:
  cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<Dnn> make_dnn(cudaStream_t stream) {
  emulation::pass_library_call("cudnnCreate");
  return std::make_unique<Loops>(stream);
}

}  // namespace impasto::cuda
