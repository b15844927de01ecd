#include "weights_converter/weight_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "impasto/error.h"
#include "weights_converter/hdf5_handle.h"

namespace impasto {
namespace {

constexpr std::int32_t kFormatVersion = 1;
constexpr std::uint16_t kHalfInfinity = 0x7c00;

void check(bool good, const char* what) {
  if (!good) throw Error(std::string("HDF5 cannot ") + what);
}

double half_to_double(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = half & 0x3ff;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

Hdf5Handle half_type() {
  Hdf5Handle type(H5Tcopy(H5T_IEEE_F32LE));
  const bool good =
      type && H5Tset_fields(type.get(), 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type.get(), 2) >= 0 && H5Tset_ebias(type.get(), 15) >= 0;
  check(good, "describe binary16");
  return type;
}

void write_attribute(hid_t object, const char* name, hid_t file_type, hid_t memory_type, std::size_t length, const void* value) {
  const hsize_t size = length;
  const Hdf5Handle space(length == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr));
  const Hdf5Handle attribute(H5Acreate2(object, name, file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  check(attribute && H5Awrite(attribute.get(), memory_type, value) >= 0, "write an attribute");
}

void write_text(hid_t object, const char* name, const std::string& text) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1));
  const bool good = type && H5Tset_size(type.get(), text.size()) >= 0 && H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0 &&
                    H5Tset_strpad(type.get(), H5T_STR_NULLPAD) >= 0;
  check(good, "describe a string");
  write_attribute(object, name, type.get(), type.get(), 1, text.data());
}

void write_doubles(hid_t object, const char* name, std::size_t length, const double* values) {
  write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, length, values);
}

// One chunk behind fletcher32, no times. The memory's type is the file's.
Hdf5Handle write_dataset(hid_t group, const char* name, const std::vector<hsize_t>& shape, hid_t type, const void* values) {
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const Hdf5Handle layout(H5Pcreate(H5P_DATASET_CREATE));
  const bool good = space && layout && H5Pset_chunk(layout.get(), static_cast<int>(shape.size()), shape.data()) >= 0 &&
                    H5Pset_fletcher32(layout.get()) >= 0 && H5Pset_obj_track_times(layout.get(), false) >= 0;
  check(good, "describe a dataset");
  Hdf5Handle dataset(H5Dcreate2(group, name, type, space.get(), H5P_DEFAULT, layout.get(), H5P_DEFAULT));
  check(dataset && H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, "write a dataset");
  return dataset;
}

void write_layer(hid_t file, const ConvShape& shape, const ConvWeights& layer, bool float16) {
  const Hdf5Handle plain(H5Pcreate(H5P_GROUP_CREATE));
  check(plain && H5Pset_obj_track_times(plain.get(), false) >= 0, "describe a group");
  const Hdf5Handle group(H5Gcreate2(file, shape.name, H5P_DEFAULT, plain.get(), H5P_DEFAULT));
  check(static_cast<bool>(group), "make a group");
  const auto outputs = static_cast<hsize_t>(shape.outputs);
  const std::vector<hsize_t> sizes = {outputs, static_cast<hsize_t>(shape.inputs), 3, 3};
  if (float16) {
    std::vector<std::uint16_t> halves;
    halves.reserve(layer.weight.size());
    for (const float value : layer.weight) halves.push_back(float_to_half(value));
    for (std::size_t i = 0; i < halves.size(); ++i) {
      if ((halves[i] & kHalfInfinity) == kHalfInfinity) {
        throw WeightError(std::string(shape.name) + " has the weight " + std::to_string(layer.weight[i]) +
                          ", beyond float16's 65504; convert without --float16");
      }
    }
    const Hdf5Handle dataset = write_dataset(group.get(), "weight", sizes, half_type().get(), halves.data());
    const double error = float16_error(layer.weight);
    write_doubles(dataset.get(), "relative_l2_error", 1, &error);
  } else {
    write_dataset(group.get(), "weight", sizes, H5T_IEEE_F32LE, layer.weight.data());
  }
  write_dataset(group.get(), "bias", {outputs}, H5T_IEEE_F32LE, layer.bias.data());
}

// Removes a file on the way out, unless told that it has got its name.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace

std::vector<std::byte> weight_file_bytes(const WeightFileContent& content) {
  const Hdf5Silence silence;
  constexpr std::size_t kGrowth = std::size_t{16} << 20;
  // In memory, so that every byte that reaches the disk goes through write_file_whole.
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS));
  check(access && H5Pset_fapl_core(access.get(), kGrowth, false) >= 0, "prepare a file in memory");
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE));
  check(creation && H5Pset_obj_track_times(creation.get(), false) >= 0, "prepare a file in memory");
  const Hdf5Handle file(H5Fcreate("in-memory", H5F_ACC_TRUNC, creation.get(), access.get()));
  check(static_cast<bool>(file), "make a file in memory");

  const Preparation& prepare = content.preparation;
  write_attribute(file.get(), "format_version", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &kFormatVersion);
  write_text(file.get(), "architecture", "vgg19");
  write_text(file.get(), "source", content.source);
  write_text(file.get(), "source_sha256", content.source_sha256);
  write_text(file.get(), "channel_order", prepare.channel_order);
  write_doubles(file.get(), "input_scale", 1, &prepare.input_scale);
  write_doubles(file.get(), "mean", 3, prepare.mean.data());
  write_doubles(file.get(), "std", 3, prepare.std.data());
  write_text(file.get(), "licence", prepare.licence);
  for (std::size_t i = 0; i < kVgg19Convolutions.size(); ++i) {
    write_layer(file.get(), kVgg19Convolutions[i], content.layers.at(i), content.float16);
  }

  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL) >= 0, "finish a file in memory");
  const ssize_t size = H5Fget_file_image(file.get(), nullptr, 0);
  check(size > 0, "measure a file in memory");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  check(H5Fget_file_image(file.get(), bytes.data(), bytes.size()) == size, "copy a file in memory");
  return bytes;
}

void write_file_whole(const std::string& path, const std::vector<std::byte>& bytes) {
  const auto fail = [&path](const std::string& why) { return IoError("cannot write " + path + ": " + why); };
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) throw fail("it is there and not a regular file");
  std::string part = path + ".part-XXXXXX";
  const int descriptor = ::mkostemp(part.data(), O_CLOEXEC);
  if (descriptor < 0) throw fail(std::strerror(errno));
  Temporary temporary(part);
  // Takes the failed call's errno before closing, which may change it.
  const auto close_and_fail = [&] {
    const int reason = errno;
    ::close(descriptor);
    return fail(std::strerror(reason));
  };
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw close_and_fail();
    done += static_cast<std::size_t>(put);
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor, 0666 & ~mask) != 0 || ::fsync(descriptor) != 0) throw close_and_fail();
  if (::close(descriptor) != 0) throw fail(std::strerror(errno));
  if (::rename(part.c_str(), path.c_str()) != 0) throw fail(std::strerror(errno));
  temporary.keep();
  // The name too should survive a power cut. The file is whole either way, so a folder that cannot be flushed is no failure.
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (const int parent = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); parent >= 0) {
    ::fsync(parent);
    ::close(parent);
  }
}

double float16_error(const std::vector<float>& weights) {
  double difference = 0;
  double norm = 0;
  for (const float value : weights) {
    const double error = half_to_double(float_to_half(value)) - value;
    difference += error * error;
    norm += static_cast<double>(value) * value;
  }
  return norm > 0 ? std::sqrt(difference / norm) : 0;
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;          // not a number
  if (magnitude >= 0x477ff000) return sign | kHalfInfinity;  // 65520 and above
  if (magnitude < 0x38800000) {                              // below 2^-14: a multiple of 2^-24
    const float steps = std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24f);
    return sign | static_cast<std::uint16_t>(steps);
  }
  const std::uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return sign | static_cast<std::uint16_t>((rounded - (112u << 23)) >> 13);
}

}  // namespace impasto
