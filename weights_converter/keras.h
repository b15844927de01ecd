// Weight files of Keras: HDF5 with one group per layer, kernels in the order row, column, input channel, output channel.
#pragma once

#include <memory>
#include <string>

#include "weights_converter/checkpoint.h"

namespace impasto {

// Gives blockN_convM/kernel, turned to (output, input, row, column), and blockN_convM/bias, as float32, whichever names the version of
// Keras gave them (block1_conv1_W_1:0, block1_conv1/kernel:0, ...), below the root or below model_weights. Other layers are left out. A
// child process does the reading and hands over a safetensors file in memory, for malformed files can crash HDF5 or send it round in
// circles (HDF5 1.10.8: 8 of 6,000 small files with one to three bytes changed). Throws WeightError where HDF5 cannot read the file, or a
// layer has a kernel or a bias too many, or one of another rank or type.
std::unique_ptr<Checkpoint> read_keras(const std::string& path);

}  // namespace impasto
