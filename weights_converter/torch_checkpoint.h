// What torch.save writes: a dictionary of tensors, pickled, with the storages beside the pickle.
#pragma once

#include <memory>

#include "weights_converter/checkpoint.h"
#include "weights_converter/input_file.h"

namespace impasto {

// PyTorch 1.6 and later: a zip archive with data.pkl and one entry data/KEY per storage.
std::unique_ptr<Checkpoint> read_torch_zip(std::unique_ptr<InputFile> file);
// Before: five pickles (magic number, protocol version, system, the dictionary, the storages' keys), then, for each key, a 64-bit count and
// the elements.
std::unique_ptr<Checkpoint> read_torch_legacy(std::unique_ptr<InputFile> file);
// Both throw WeightError: the file is damaged, big-endian, or its pickle is no dictionary of tensors.

}  // namespace impasto
