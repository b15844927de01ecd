#include "tests/cli/weight_file.h"

#include <hdf5.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "tests/cli/command.h"

namespace impasto::test {

namespace {

hid_t checked(hid_t id) {
  if (id < 0) throw std::runtime_error("HDF5 refused");
  return id;
}

void write_attribute(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& size, const void* value) {
  const hid_t space = checked(size.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, size.data(), nullptr));
  const hid_t attribute = checked(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  checked(H5Awrite(attribute, type, value));
  H5Aclose(attribute);
  H5Sclose(space);
}

void write_text(hid_t file, const char* name, const std::string& text) {
  const hid_t type = checked(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, text.size());
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  write_attribute(file, name, type, {}, text.data());
  H5Tclose(type);
}

void write_filled(hid_t group, const char* name, const std::vector<hsize_t>& shape, float value) {
  const hid_t properties = checked(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_alloc_time(properties, H5D_ALLOC_TIME_LATE);
  H5Pset_fill_value(properties, H5T_NATIVE_FLOAT, &value);
  const hid_t space = checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  H5Dclose(checked(H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT)));
  H5Sclose(space);
  H5Pclose(properties);
}

}  // namespace

void write_weight_file(const std::string& path, const WeightFile& options) {
  const hid_t file = checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const bool oxford = options.input_scale == 255;
  const std::vector<double> mean = oxford ? std::vector<double>{103.939, 116.779, 123.68} : std::vector<double>{0.485, 0.456, 0.406};
  const std::vector<double> std_deviation = oxford ? std::vector<double>{1, 1, 1} : std::vector<double>{0.229, 0.224, 0.225};
  write_attribute(file, "format_version", H5T_NATIVE_INT, {}, &options.format_version);
  write_text(file, "architecture", options.architecture);
  write_text(file, "source", "averaging filters made for a test");
  write_text(file, "source_sha256", std::string(64, '0'));
  write_text(file, "channel_order", oxford ? "BGR" : "RGB");
  write_attribute(file, "input_scale", H5T_NATIVE_DOUBLE, {}, &options.input_scale);
  write_attribute(file, "mean", H5T_NATIVE_DOUBLE, {3}, mean.data());
  write_attribute(file, "std", H5T_NATIVE_DOUBLE, {3}, std_deviation.data());
  write_text(file, "licence", "none");

  const std::vector<int> convolutions = {2, 2, 4, 4, 4};
  const std::vector<hsize_t> channels = {64, 128, 256, 512, 512};
  hsize_t in = 3;
  for (std::size_t block = 0; block < convolutions.size(); ++block) {
    for (int i = 1; i <= convolutions[block]; ++i) {
      const std::string name = "conv" + std::to_string(block + 1) + "_" + std::to_string(i);
      hsize_t out = channels[block];
      if (options.without_conv5_1 && name == "conv5_1") continue;
      if (options.wrong_shape && name == "conv4_1") out = 511;
      float value = 1.0f / static_cast<float>(9 * in);
      if (options.nan_in_conv3_2 && name == "conv3_2") value = std::numeric_limits<float>::quiet_NaN();
      const hid_t group = checked(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      write_filled(group, "weight", {out, in, 3, 3}, value);
      write_filled(group, "bias", {out}, 0.1f);
      H5Gclose(group);
      in = channels[block];
    }
  }
  H5Fclose(file);
}

const std::string& averaging_weights() {
  static const Folder folder;
  static const std::string path = [] {
    write_weight_file(folder.path("averaging.h5"));
    return folder.path("averaging.h5");
  }();
  return path;
}

}  // namespace impasto::test
