#include "tests/golden/rgb_network.h"

#include <hdf5.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "engine/weight_store.h"

namespace impasto::golden {
namespace {

constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kStd = {0.229, 0.224, 0.225};
// torchvision's activations are of order 1, Oxford's of order 100. A ReLU network is homogeneous, and powers of two are exact.
constexpr float kReduction = 64;

hid_t checked(hid_t id) {
  if (id < 0) throw std::runtime_error("cannot write the RGB network");
  return id;
}

void write_attribute(hid_t file, const char* name, hid_t type, hid_t space, const void* value) {
  const hid_t attribute = checked(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  checked(H5Awrite(attribute, type, value));
  H5Aclose(attribute);
}

void write_text(hid_t file, const char* name, const std::string& text) {
  const hid_t type = checked(H5Tcopy(H5T_C_S1));
  checked(H5Tset_size(type, text.size()));
  const hid_t scalar = checked(H5Screate(H5S_SCALAR));
  write_attribute(file, name, type, scalar, text.data());
  H5Sclose(scalar);
  H5Tclose(type);
}

void write_numbers(hid_t file, const char* name, const std::array<double, 3>& numbers) {
  const hsize_t length = numbers.size();
  const hid_t space = checked(H5Screate_simple(1, &length, nullptr));
  write_attribute(file, name, H5T_NATIVE_DOUBLE, space, numbers.data());
  H5Sclose(space);
}

void write_dataset(hid_t group, const char* name, const std::vector<hsize_t>& shape, const std::vector<float>& values) {
  const hid_t space = checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const hid_t dataset = checked(H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  checked(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  H5Dclose(dataset);
  H5Sclose(space);
}

// (out, 3, 3, 3): input channels reversed, each times 255 std / 64, rounded to float before and after the product.
std::vector<float> first_filters(const std::vector<float>& bgr) {
  std::vector<float> rgb(bgr.size());
  for (std::size_t out = 0; out < bgr.size() / 27; ++out) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const float factor = static_cast<float>(255 * kStd[channel] / kReduction);
      for (std::size_t tap = 0; tap < 9; ++tap) rgb[(out * 3 + channel) * 9 + tap] = bgr[(out * 3 + 2 - channel) * 9 + tap] * factor;
    }
  }
  return rgb;
}

}  // namespace

void write_rgb_network(const std::string& oxford, const std::string& path) {
  const hid_t file = checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  read_weights(oxford, [&](int i, const std::vector<float>& weight, std::vector<float> bias) {
    const ConvLayer& layer = kVgg19[i];
    const hsize_t out = layer.out_channels, in = layer.in_channels;
    for (float& b : bias) b /= kReduction;
    const hid_t group = checked(H5Gcreate2(file, layer.name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    write_dataset(group, "weight", {out, in, 3, 3}, i == 0 ? first_filters(weight) : weight);
    write_dataset(group, "bias", {out}, bias);
    H5Gclose(group);
  });
  const hid_t scalar = checked(H5Screate(H5S_SCALAR));
  const int version = 1;
  write_attribute(file, "format_version", H5T_NATIVE_INT, scalar, &version);
  const double input_scale = 1;
  write_attribute(file, "input_scale", H5T_NATIVE_DOUBLE, scalar, &input_scale);
  H5Sclose(scalar);
  write_numbers(file, "mean", kMean);
  write_numbers(file, "std", kStd);
  write_text(file, "architecture", "vgg19");
  write_text(file, "channel_order", "RGB");
  write_text(file, "source", "Oxford's filters in torchvision's convention, made by tests/golden");
  write_text(file, "source_sha256", std::string(64, '0'));
  write_text(file, "licence", "as the Oxford network");
  checked(H5Fclose(file));
}

}  // namespace impasto::golden
