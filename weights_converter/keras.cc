#include "weights_converter/keras.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string_view>

#include "impasto/error.h"
#include "weights_converter/child_process.h"
#include "weights_converter/hdf5_handle.h"
#include "weights_converter/input_file.h"
#include "weights_converter/safetensors.h"

namespace impasto {
namespace {

constexpr hsize_t kMostElements = hsize_t{1} << 24;  // the largest kernel has 2.4 million
constexpr unsigned kChildSeconds = 20;               // VGG19's 80 MB take 0.2

struct KerasTensor {
  std::string name;          // "block1_conv1/kernel", "block1_conv1/bias"
  std::string dataset_path;  // in the file
  std::vector<hsize_t> sizes;
};

struct KerasName {
  std::string layer;  // "block1_conv1"; empty where the path is none of a convolution's numbers
  bool is_kernel = false;
};

// [model_weights/]blockN_convM/...NAME[_K][:0], where NAME, after the last / or _, is kernel, W, bias or b.
KerasName parse_name(std::string_view path) {
  constexpr std::string_view kRoot = "model_weights/";
  constexpr std::string_view kPattern = "block#_conv#/";
  const auto is_digit = [](char character) { return std::isdigit(static_cast<unsigned char>(character)) != 0; };
  if (path.starts_with(kRoot)) path.remove_prefix(kRoot.size());
  const bool is_convolution = path.size() > kPattern.size() &&
                              std::equal(kPattern.begin(), kPattern.end(), path.begin(),
                                         [&](char wanted, char found) { return wanted == '#' ? is_digit(found) : wanted == found; });
  if (!is_convolution) return {};
  const std::string layer(path.substr(0, kPattern.size() - 1));
  if (path.ends_with(":0")) path.remove_suffix(2);
  if (is_digit(path.back()) && path[path.size() - 2] == '_') path.remove_suffix(2);
  const std::string_view last = path.substr(path.find_last_of("/_") + 1);
  if (last == "kernel" || last == "W") return {layer, true};
  if (last == "bias" || last == "b") return {layer, false};
  return {};
}

// Reads with HDF5; lives in the child process alone.
class KerasFile {
 public:
  explicit KerasFile(const std::string& path) : path_(path), file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {
    if (!file_) throw WeightError(path + " is damaged or cut short: HDF5 cannot open it");
    if (H5Aexists(file_.get(), "format_version") > 0 && H5Aexists(file_.get(), "architecture") > 0) {
      throw WeightError(path + " is an Impasto weight file already");
    }
    std::vector<std::string> paths;
    const auto note = [](hid_t, const char* name, const H5L_info_t*, void* data) noexcept -> herr_t {
      static_cast<std::vector<std::string>*>(data)->emplace_back(name);
      return 0;
    };
    if (H5Lvisit(file_.get(), H5_INDEX_NAME, H5_ITER_NATIVE, note, &paths) < 0)
      throw WeightError(path + " is damaged: HDF5 cannot list it");
    for (const std::string& dataset_path : paths) {
      if (const KerasName name = parse_name(dataset_path); !name.layer.empty()) add(dataset_path, name);
    }
  }

  const std::vector<KerasTensor>& tensors() const { return tensors_; }

  // In the file's order.
  std::vector<float> read(const KerasTensor& tensor) const {
    const Hdf5Handle dataset(H5Dopen2(file_.get(), tensor.dataset_path.c_str(), H5P_DEFAULT));
    std::vector<float> values(std::accumulate(tensor.sizes.begin(), tensor.sizes.end(), hsize_t{1}, std::multiplies<>()));
    if (!dataset || H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
      throw WeightError(path_ + " is damaged: HDF5 cannot read " + printable(tensor.dataset_path));
    }
    return values;
  }

 private:
  void add(const std::string& dataset_path, const KerasName& name) {
    KerasTensor tensor{.name = name.layer + (name.is_kernel ? "/kernel" : "/bias"), .dataset_path = dataset_path, .sizes = {}};
    const auto refuse = [&](const std::string& what) { return WeightError(path_ + ": dataset " + printable(dataset_path) + " " + what); };
    for (const KerasTensor& other : tensors_) {
      if (other.name == tensor.name) throw refuse("is one too many: there is " + printable(other.dataset_path));
    }
    const Hdf5Handle dataset(H5Dopen2(file_.get(), dataset_path.c_str(), H5P_DEFAULT));
    const Hdf5Handle space(dataset ? H5Dget_space(dataset.get()) : H5I_INVALID_HID);
    const Hdf5Handle type(dataset ? H5Dget_type(dataset.get()) : H5I_INVALID_HID);
    if (!space || !type) throw refuse("cannot be opened: the file is damaged");
    if (H5Tget_class(type.get()) != H5T_FLOAT) throw refuse("is not of a floating-point type");
    const int rank = name.is_kernel ? 4 : 1;
    const int dimensions = H5Sget_simple_extent_ndims(space.get());
    if (dimensions != rank) throw refuse("has " + std::to_string(dimensions) + " dimensions, not " + std::to_string(rank));
    tensor.sizes.resize(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space.get(), tensor.sizes.data(), nullptr);
    hsize_t elements = 1;
    for (const hsize_t size : tensor.sizes) {
      if (size > kMostElements || (elements *= size) > kMostElements) {
        throw refuse("claims more than " + std::to_string(kMostElements) + " elements");
      }
    }
    tensors_.push_back(std::move(tensor));
  }

  std::string path_;
  Hdf5Handle file_;
  std::vector<KerasTensor> tensors_;
};

// From (row, column, input, output) to (output, input, row, column); rows and columns keep their sense, both frameworks cross-correlate.
std::vector<float> output_channel_first(const std::vector<float>& values, const std::vector<hsize_t>& sizes) {
  const hsize_t taps = sizes[0] * sizes[1];
  const hsize_t inputs = sizes[2];
  const hsize_t outputs = sizes[3];
  std::vector<float> turned(values.size());
  for (hsize_t tap = 0; tap < taps; ++tap) {
    for (hsize_t input = 0; input < inputs; ++input) {
      for (hsize_t output = 0; output < outputs; ++output) {
        turned[(output * inputs + input) * taps + tap] = values[(tap * inputs + input) * outputs + output];
      }
    }
  }
  return turned;
}

void write_all(int descriptor, const void* data, std::size_t size) {
  for (const char* bytes = static_cast<const char*>(data); size > 0;) {
    const ssize_t put = ::write(descriptor, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw Error(std::string("cannot write to memory: ") + std::strerror(errno));
    bytes += put;
    size -= static_cast<std::size_t>(put);
  }
}

void write_safetensors(int descriptor, const KerasFile& file) {
  nlohmann::json header = nlohmann::json::object();
  hsize_t position = 0;
  for (const KerasTensor& tensor : file.tensors()) {
    const std::vector<hsize_t>& sizes = tensor.sizes;
    const std::vector<hsize_t> shape = sizes.size() == 4 ? std::vector<hsize_t>{sizes[3], sizes[2], sizes[0], sizes[1]} : sizes;
    const hsize_t end = position + std::accumulate(sizes.begin(), sizes.end(), hsize_t{sizeof(float)}, std::multiplies<>());
    header[tensor.name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {position, end}}};
    position = end;
  }
  const std::string text = header.dump();
  const std::uint64_t text_size = text.size();
  write_all(descriptor, &text_size, sizeof(text_size));
  write_all(descriptor, text.data(), text.size());
  for (const KerasTensor& tensor : file.tensors()) {
    std::vector<float> values = file.read(tensor);
    if (tensor.sizes.size() == 4) values = output_channel_first(values, tensor.sizes);
    write_all(descriptor, values.data(), values.size() * sizeof(float));
  }
}

}  // namespace

std::unique_ptr<Checkpoint> read_keras(const std::string& path) {
  return read_safetensors(written_by_child(path, kChildSeconds, [&path](int descriptor) {
    const Hdf5Silence silence;
    write_safetensors(descriptor, KerasFile(path));
  }));
}

}  // namespace impasto
