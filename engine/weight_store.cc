#include "engine/weight_store.h"

#include <hdf5.h>

#include <cmath>
#include <cstddef>
#include <mutex>
#include <utility>

#include "engine/counter_random.h"
#include "impasto/error.h"

namespace impasto {
namespace {

// HDF5 as most systems ship it keeps unguarded global state.
std::mutex hdf5_mutex;

// Closes an HDF5 identifier when it goes.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// HDF5 prints its errors unless told not to; a library does not print.
class SilentHdf5 {
 public:
  SilentHdf5() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~SilentHdf5() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// Reads one file; every failure is a WeightError that starts with the file's name.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose) {
    if (!file_.valid())
      fail("cannot be opened as HDF5: missing, cut short, or not a weight file; expected one made by impasto-convert-weights");
  }

  [[noreturn]] void fail(const std::string& what) const { throw WeightError("weight file '" + path_ + "': " + what); }

  std::string text(const char* name) const {
    const Handle attribute = open_attribute(name);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    if (!type.valid() || H5Tget_class(type) != H5T_STRING) fail(std::string("attribute ") + name + " is not a string");
    if (H5Tis_variable_str(type) > 0) {
      const Handle memory_type(H5Tcopy(H5T_C_S1), H5Tclose);
      H5Tset_size(memory_type, H5T_VARIABLE);
      H5Tset_cset(memory_type, H5Tget_cset(type));
      char* value = nullptr;
      if (scalar_length(attribute) != 1 || H5Aread(attribute, memory_type, &value) < 0 || value == nullptr) unreadable(name);
      std::string result = value;
      H5free_memory(value);
      return result;
    }
    const std::size_t size = H5Tget_size(type);
    if (size > kLongestText || scalar_length(attribute) != 1) unreadable(name);
    std::string result(size, '\0');
    if (H5Aread(attribute, type, result.data()) < 0) unreadable(name);
    while (!result.empty() && (result.back() == '\0' || result.back() == ' ')) result.pop_back();
    return result;
  }

  void numbers(const char* name, double* out, hssize_t length) const {
    const Handle attribute = open_attribute(name);
    if (scalar_length(attribute) != length) {
      fail(std::string("attribute ") + name + " has " + std::to_string(scalar_length(attribute)) + " values; expected " +
           std::to_string(length));
    }
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, out) < 0) unreadable(name);
    for (hssize_t i = 0; i < length; ++i) {
      if (!std::isfinite(out[i])) fail(std::string("attribute ") + name + " is not finite");
    }
  }

  double number(const char* name) const {
    double value = 0;
    numbers(name, &value, 1);
    return value;
  }

  std::vector<float> tensor(const std::string& name, const std::vector<hsize_t>& shape) const {
    const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) fail("dataset /" + name + " is missing");
    const Handle type(H5Dget_type(dataset), H5Tclose);
    if (!type.valid() || H5Tget_class(type) != H5T_FLOAT) fail("dataset /" + name + " does not hold floating-point numbers");
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = space.valid() ? H5Sget_simple_extent_ndims(space) : -1;
    std::vector<hsize_t> found(rank > 0 ? rank : 0);
    if (rank > 0) H5Sget_simple_extent_dims(space, found.data(), nullptr);
    if (found != shape) fail("dataset /" + name + " has shape " + shape_text(found) + "; expected " + shape_text(shape));
    std::size_t size = 1;
    for (const hsize_t d : shape) size *= d;
    std::vector<float> values(size);
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
      fail("dataset /" + name + " cannot be read; the file is damaged");
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (!std::isfinite(values[i])) fail("dataset /" + name + " holds a value that is not finite at element " + std::to_string(i));
    }
    return values;
  }

 private:
  static constexpr std::size_t kLongestText = 1 << 16;

  static std::string shape_text(const std::vector<hsize_t>& shape) {
    std::string text = "(";
    for (const hsize_t d : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
    return text + ")";
  }

  Handle open_attribute(const char* name) const {
    Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose);
    if (!attribute.valid()) fail(std::string("attribute ") + name + " is missing; not a weight file of Impasto");
    return attribute;
  }

  static hssize_t scalar_length(hid_t attribute) {
    const Handle space(H5Aget_space(attribute), H5Sclose);
    return space.valid() ? H5Sget_simple_extent_npoints(space) : -1;
  }

  [[noreturn]] void unreadable(const char* name) const { fail(std::string("attribute ") + name + " cannot be read"); }

  std::string path_;
  Handle file_;
};

NetworkInput read_input(const Reader& reader) {
  NetworkInput input;
  const std::string order = reader.text("channel_order");
  if (order == "RGB") {
    input.channel = {0, 1, 2};
  } else if (order == "BGR") {
    input.channel = {2, 1, 0};
  } else {
    reader.fail("channel_order is '" + order + "'; expected RGB or BGR");
  }
  input.input_scale = reader.number("input_scale");
  if (input.input_scale != 1 && input.input_scale != 255) {
    reader.fail("input_scale is " + std::to_string(input.input_scale) + "; expected 1 or 255");
  }
  reader.numbers("mean", input.mean.data(), 3);
  reader.numbers("std", input.std.data(), 3);
  for (const double s : input.std) {
    if (!(s > 0)) reader.fail("std holds " + std::to_string(s) + "; expected positive numbers");
  }
  return input;
}

// Gain on He's standard deviation, per layer: measured over three seeds and three pictures so that the RMS of each layer's ReLU output is
// near 1 (0.6 to 1.2, by picture).
constexpr std::array<double, kVgg19.size()> kUntrainedGain = {2.1,  1.2,  1.05, 1.25, 1.0,  1.22, 1.24, 1.22,
                                                              0.96, 1.24, 1.23, 1.23, 0.96, 1.26, 1.26, 1.27};

}  // namespace

NetworkHeader read_weights(const std::string& path, const TakeLayer& take) {
  const std::lock_guard lock(hdf5_mutex);
  const SilentHdf5 silent;
  const Reader reader(path);
  if (const double version = reader.number("format_version"); version != 1) {
    reader.fail("format_version is " + std::to_string(version) + "; this build reads 1");
  }
  if (const std::string architecture = reader.text("architecture"); architecture != "vgg19") {
    reader.fail("architecture is '" + architecture + "'; expected vgg19");
  }
  NetworkHeader header;
  header.input = read_input(reader);
  header.info = {.source = reader.text("source"),
                 .source_sha256 = reader.text("source_sha256"),
                 .licence = reader.text("licence"),
                 .untrained = false,
                 .input_scale = header.input.input_scale,
                 .grey_levels_per_unit = header.input.grey_levels_per_unit()};
  for (std::size_t i = 0; i < kVgg19.size(); ++i) {
    const ConvLayer& conv = kVgg19[i];
    const hsize_t out = conv.out_channels;
    const hsize_t in = conv.in_channels;
    take(static_cast<int>(i), reader.tensor(std::string(conv.name) + "/weight", {out, in, 3, 3}),
         reader.tensor(std::string(conv.name) + "/bias", {out}));
  }
  return header;
}

NetworkHeader draw_untrained_weights(std::uint64_t seed, const TakeLayer& take) {
  NetworkHeader header;
  header.input = {.channel = {0, 1, 2}, .input_scale = 1, .mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
  header.info = {.source = "untrained random filters, seed " + std::to_string(seed),
                 .source_sha256 = "",
                 .licence = "none needed",
                 .untrained = true,
                 .input_scale = 1,
                 .grey_levels_per_unit = header.input.grey_levels_per_unit()};
  for (std::size_t i = 0; i < kVgg19.size(); ++i) {
    const ConvLayer& conv = kVgg19[i];
    const std::size_t filter_size = std::size_t{9} * conv.in_channels;
    const double deviation = kUntrainedGain[i] * std::sqrt(2.0 / filter_size);
    const std::uint64_t layer_seed = counter_bits(seed, i);
    std::vector<float> weight(filter_size * conv.out_channels);
    std::vector<double> filter(filter_size);
    for (int o = 0; o < conv.out_channels; ++o) {
      double mean = 0;
      for (std::size_t j = 0; j < filter_size; ++j) {
        filter[j] = counter_normal(layer_seed, o * filter_size + j);
        mean += filter[j] / filter_size;
      }
      for (std::size_t j = 0; j < filter_size; ++j) weight[o * filter_size + j] = static_cast<float>(deviation * (filter[j] - mean));
    }
    take(static_cast<int>(i), weight, std::vector<float>(conv.out_channels, 0.0f));
  }
  return header;
}

}  // namespace impasto
