// The numbers that a network's activations and their gradients are kept and multiplied in. Pictures, Gram matrices, losses and optimisers
// keep float32 or better with all of them.
#pragma once

namespace impasto {

enum class Precision {
  kAuto,  // CUDA: kTf32 where the device has it, else kFp32; others: what they compute in
  kFp32,  // float32 proper
  kTf32,  // kept in float32; products take 11 of its 24 bits, sums all. CUDA, compute capability 8.0 or more
  kFp16,  // kept in IEEE half, times powers of two: 11 of float32's 24 bits, ends at 65504; sums are float32. CUDA
  kBf16,  // kept in bfloat16: 8 of float32's 24 bits, its range; sums are float32. CUDA, compute capability 8.0 or more
};

// As --precision names it.
constexpr const char* to_string(Precision precision) {
  switch (precision) {
    case Precision::kAuto:
      return "auto";
    case Precision::kFp32:
      return "fp32";
    case Precision::kTf32:
      return "tf32";
    case Precision::kFp16:
      return "fp16";
    case Precision::kBf16:
      return "bf16";
  }
  return "";
}

}  // namespace impasto
