// What a run is asked to do. Every field has a default; validate() names the first one that cannot be used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "impasto/precision.h"

namespace impasto {

enum class Device {
  kAuto,            // kCuda where it can be had, else kCpu
  kCpu,             // threads and vector instructions
  kCuda,            // an NVIDIA GPU, through the CUDA module
  kReference,       // the specification in double: slow, one thread
  kReferenceFloat,  // the same in float
};

struct SessionOptions {
  Device device = Device::kAuto;
  // CPU threads; 0: one per core this process may run on.
  int threads = 0;
  // Vector instructions of the CPU backend; empty: the best this machine has.
  std::string cpu_isa = {};
  // Output tile M of the CPU backend's Winograd convolutions F(M x M, 3 x 3): 2, 4 or 6 (with tiles of 4 at the borders) everywhere, or 0
  // for the quickest of each layer and size. 2 errs about as direct float32 sums do, at about half the speed. 1 is the exact mode: direct
  // sums in double, each result rounded to float32 once; the gradient is within 1e-6 of float64's, for some nine times the time.
  int tile = 0;
  // Of activations and their gradients. Others than kAuto and kFp32 mean CUDA: with Device::kAuto too.
  Precision precision = Precision::kAuto;
  // Which CUDA device, counted from 0.
  int cuda_device = 0;
  // Path of the CUDA module (libimpasto_cuda.so); empty: beside the program, in ../lib/impasto from there, or where the system looks for
  // libraries.
  std::string cuda_module = {};
  // Measure which of cuDNN's engines is the quickest for each convolution, instead of taking cuDNN's guess. Engines round differently, so
  // the picture may change in its last digits, and where two are as quick one measurement may choose one and the next the other. Means
  // CUDA: with Device::kAuto too.
  bool autotune = false;
  // Path of the file in which what was measured is kept, for other sessions too: with autotune or without, the plans in it that are of this
  // device and cuDNN are taken, so that a device gives the same bits from session to session as long as the file stays. Written when
  // something has been measured; what is wrong with it is no error, Result::notices says it. Empty: kept as long as the session lives.
  std::string plan_cache = {};
};

enum class Pooling { kMax, kAverage };

enum class Optimizer {
  kLbfgs,       // our default: L-BFGS from a preconditioner for pictures, scale-free safeguarded start
  kLbfgsTorch,  // torch.optim.LBFGS, lr 1, no line search, step for step
  kLbfgsWolfe,  // L-BFGS with a strong Wolfe line search
  kAdam,
};

enum class Init {
  kContent,  // start from the content picture
  kRandom,   // Gaussian noise around the network's mean colour, from `seed`
  kPicture,  // start from StyleOptions::init_picture
};

// Losses, with F (C x M) a layer's features, P the content's, G = F F^T / M, A the style's G, mean over elements:
//   content_weight * mean((F - P)^2)                                              summed over content_layers
//   + sum_l style_weights[l] / C_l^2 * mean((G_l - A_l)^2)                        over style_layers
//   + tv_weight * mean of squared differences of neighbouring input values
// all in the units of the network's own input.
struct StyleOptions {
  // Names convN_M (before ReLU) and reluN_M of VGG19, conv1_1 to relu5_4.
  std::vector<std::string> content_layers = {"relu4_2"};
  std::vector<std::string> style_layers = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"};

  double content_weight = 1.0;
  // Empty: the network's default for every layer (1000 for a network fed 0..255; docs/losses.md). One value: for every layer. Else one per
  // layer.
  std::vector<double> style_weights;
  double tv_weight = 0.0;
  // How several style pictures share the targets A = sum_i blend_i G_i; scaled to sum 1. Empty: equal shares.
  std::vector<double> style_blend;

  Pooling pooling = Pooling::kMax;
  Init init = Init::kContent;
  std::uint64_t seed = 42;

  Optimizer optimizer = Optimizer::kLbfgs;
  // How many times the losses and gradient are evaluated. 0: once, and the picture is returned as it started.
  int iterations = 300;
  // Pairs that L-BFGS remembers.
  int history = 100;
  // Step size: lr of lbfgs-torch (its default 1), grey levels of 255 per step of Adam (default 10).
  std::optional<double> learning_rate;
  // Stop when the largest gradient element, or the change of the loss or of the largest element, is at most this; torch's defaults.
  double gradient_tolerance = 1e-7;
  double change_tolerance = 1e-9;

  // Throws OptionError naming the field, its value and what is accepted.
  void validate() const;
};

}  // namespace impasto
