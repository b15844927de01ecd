#include "weights_converter/keras.h"

#include <algorithm>
#include <regex>

#include "impasto/error.h"
#include "weights_converter/hdf5_handle.h"
#include "weights_converter/input_file.h"

namespace impasto {
namespace {

constexpr hsize_t kMostElements = hsize_t{1} << 24;  // the largest kernel has 2.4 million
constexpr std::size_t kLongestPath = 200;            // Keras's have at most 50 characters

struct KerasDataset {
  std::string path;
  bool is_kernel = false;
};

class KerasCheckpoint : public Checkpoint {
 public:
  explicit KerasCheckpoint(const std::string& path) : path_(path) {
    file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    if (!file_) throw WeightError(path + " is damaged or cut short: HDF5 cannot open it");
    if (H5Aexists(file_.get(), "format_version") > 0 && H5Aexists(file_.get(), "architecture") > 0) {
      throw WeightError(path + " is an Impasto weight file already");
    }
    find_layers();
  }

  std::vector<float> read(const Tensor& tensor) const override {
    const Hdf5Silence silence;
    const KerasDataset& place = places_.at(static_cast<std::size_t>(&tensor - tensors_.data()));
    const Hdf5Handle dataset(H5Dopen2(file_.get(), place.path.c_str(), H5P_DEFAULT));
    hsize_t elements = 1;
    for (const std::int64_t size : tensor.shape) elements *= static_cast<hsize_t>(size);
    std::vector<float> values(elements);
    if (!dataset || H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
      throw WeightError(path_ + " is damaged: HDF5 cannot read " + printable(place.path));
    }
    return place.is_kernel ? output_channel_first(values, tensor.shape) : values;
  }

 private:
  void find_layers() {
    std::vector<std::string> paths;
    const auto note = [](hid_t, const char* name, const H5L_info_t*, void* data) noexcept -> herr_t {
      static_cast<std::vector<std::string>*>(data)->emplace_back(name);
      return 0;
    };
    if (H5Lvisit(file_.get(), H5_INDEX_NAME, H5_ITER_NATIVE, note, &paths) < 0)
      throw WeightError(path_ + " is damaged: HDF5 cannot list it");
    static const std::regex kLayer("(?:model_weights/)?(block[1-9]_conv[1-9])/(?:.*[/_])?(kernel|W|bias|b)(?:_[0-9]+)?(?::0)?");
    for (const std::string& path : paths) {
      std::smatch match;
      if (path.size() < kLongestPath && std::regex_match(path, match, kLayer)) add(path, match[1], match[2] == "kernel" || match[2] == "W");
    }
  }

  void add(const std::string& dataset_path, const std::string& layer, bool is_kernel) {
    Tensor tensor{.name = layer + (is_kernel ? "/kernel" : "/bias")};
    const auto refuse = [&](const std::string& what) { return WeightError(path_ + ": dataset " + printable(dataset_path) + " " + what); };
    if (find(tensor.name)) throw refuse("is one too many: " + layer + " has another");
    const Hdf5Handle dataset(H5Dopen2(file_.get(), dataset_path.c_str(), H5P_DEFAULT));
    const Hdf5Handle space(dataset ? H5Dget_space(dataset.get()) : H5I_INVALID_HID);
    const Hdf5Handle type(dataset ? H5Dget_type(dataset.get()) : H5I_INVALID_HID);
    if (!space || !type) throw refuse("cannot be opened: the file is damaged");
    const int dimensions = H5Sget_simple_extent_ndims(space.get());
    if (dimensions != (is_kernel ? 4 : 1))
      throw refuse("has " + std::to_string(dimensions) + " dimensions, not " + (is_kernel ? "4" : "1"));
    hsize_t sizes[4] = {};
    H5Sget_simple_extent_dims(space.get(), sizes, nullptr);
    hsize_t elements = 1;
    for (int i = 0; i < dimensions; ++i) {
      if (__builtin_mul_overflow(elements, sizes[i], &elements) || sizes[i] > kMostElements || elements > kMostElements) {
        throw refuse("claims more than " + std::to_string(kMostElements) + " elements");
      }
      tensor.shape.push_back(static_cast<std::int64_t>(sizes[i]));
    }
    if (is_kernel) tensor.shape = {tensor.shape[3], tensor.shape[2], tensor.shape[0], tensor.shape[1]};
    if (H5Tget_class(type.get()) == H5T_FLOAT) {
      const std::size_t bytes = H5Tget_size(type.get());
      tensor.type = bytes == 2 ? ElementType::kFloat16 : bytes == 4 ? ElementType::kFloat32 : ElementType::kFloat64;
    }
    tensors_.push_back(std::move(tensor));
    places_.push_back({dataset_path, is_kernel});
  }

  // From (row, column, input, output) to (output, input, row, column); rows and columns keep their sense, both frameworks cross-correlate.
  static std::vector<float> output_channel_first(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
    const auto outputs = static_cast<std::size_t>(shape[0]);
    const auto inputs = static_cast<std::size_t>(shape[1]);
    const auto taps = static_cast<std::size_t>(shape[2] * shape[3]);
    std::vector<float> turned(values.size());
    for (std::size_t tap = 0; tap < taps; ++tap) {
      for (std::size_t input = 0; input < inputs; ++input) {
        for (std::size_t output = 0; output < outputs; ++output) {
          turned[(output * inputs + input) * taps + tap] = values[(tap * inputs + input) * outputs + output];
        }
      }
    }
    return turned;
  }

  std::string path_;
  Hdf5Handle file_;
  std::vector<KerasDataset> places_;  // of tensors_, in order
};

}  // namespace

std::unique_ptr<Checkpoint> read_keras(const std::string& path) {
  const Hdf5Silence silence;
  return std::make_unique<KerasCheckpoint>(path);
}

}  // namespace impasto
