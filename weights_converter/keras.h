// Weight files of Keras: HDF5 with one group per layer, kernels in the order row, column, input channel, output channel.
#pragma once

#include <memory>
#include <string>

#include "weights_converter/checkpoint.h"

namespace impasto {

// Gives blockN_convM/kernel, turned to (output, input, row, column), and blockN_convM/bias, whichever names the version of Keras
// gave them (block1_conv1_W_1:0, block1_conv1/kernel:0, ...), below the root or below model_weights. Other layers are left out.
// Throws WeightError where HDF5 cannot read the file, or a layer has not exactly one kernel and one bias.
std::unique_ptr<Checkpoint> read_keras(const std::string& path);

}  // namespace impasto
