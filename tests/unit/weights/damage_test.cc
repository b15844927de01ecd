// Files cut short anywhere are refused; files with any bytes changed are refused or read, and nothing worse (run under AddressSanitizer,
// this is the test that counts). The Keras format is left out: there HDF5 does the reading.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "weights_converter/checkpoint.h"

namespace impasto {
namespace {

using testing::FileTensor;
using testing::raw;

struct Sample {
  const char* format;
  std::string bytes;
};

std::vector<Sample> samples() {
  const std::vector<FileTensor> tensors = {
      {"features.0.weight", "Float", {2, 3, 1, 1}, raw<float>({1, 2, 3, -4, 0.5f, 6})},
      {"features.0.bias", "Half", {2}, raw<std::uint16_t>({0x3c00, 0xc000})},
      {"block1_conv1_W_q", "Byte", {3}, raw<std::uint8_t>({0, 7, 255})},
  };
  return {{"zip", testing::torch_zip(tensors)},
          {"zip64", testing::torch_zip(tensors, true)},
          {"legacy", testing::torch_legacy(tensors)},
          {"safetensors", testing::safetensors(tensors)}};
}

// One file in memory, written again and again: thousands of files on a disk would take minutes.
class ScratchFile {
 public:
  ScratchFile() : descriptor_(::memfd_create("checkpoint", MFD_CLOEXEC)) {}
  ~ScratchFile() { ::close(descriptor_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  // Puts bytes into the file and reads everything that is in it. False where it was refused as bad; any other exception is the test's
  // failure.
  bool reads(const std::string& bytes) const {
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("cannot write to memory");
    }
    try {
      const auto checkpoint = open_checkpoint("/proc/self/fd/" + std::to_string(descriptor_));
      for (const Tensor& tensor : checkpoint->tensors()) {
        if (tensor.type != ElementType::kOther) checkpoint->read(tensor);
      }
      return true;
    } catch (const WeightError&) {
      return false;
    }
  }

 private:
  int descriptor_;
};

TEST(DamagedCheckpoint, CutShortAnywhereIsRefused) {
  const ScratchFile file;
  for (const Sample& sample : samples()) {
    ASSERT_TRUE(file.reads(sample.bytes)) << sample.format;
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      EXPECT_FALSE(file.reads(sample.bytes.substr(0, size))) << sample.format << " of " << size << " bytes";
    }
  }
}

TEST(DamagedCheckpoint, ChangedBytesAreRefusedOrRead) {
  const ScratchFile file;
  std::mt19937 random(7);
  for (const Sample& sample : samples()) {
    int refused = 0;
    constexpr int kTries = 1500;
    for (int i = 0; i < kTries; ++i) {
      std::string bytes = sample.bytes;
      for (int change = 0; change <= i % 4; ++change) {
        char& byte = bytes[random() % bytes.size()];
        byte = i % 2 ? static_cast<char>(byte ^ 1 << random() % 8) : static_cast<char>(random() % 3 ? random() : 0xff);
      }
      refused += !file.reads(bytes);
    }
    EXPECT_GT(refused, kTries / 4) << sample.format << ": the changes hardly hit anything";
  }
}

// Each byte of the file in turn takes the values that break sizes: 0, 127, 128, 255.
TEST(DamagedCheckpoint, ExtremeBytesAreRefusedOrRead) {
  const ScratchFile file;
  for (const Sample& sample : samples()) {
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
      for (const int value : {0, 127, 128, 255}) {
        std::string bytes = sample.bytes;
        bytes[at] = static_cast<char>(value);
        file.reads(bytes);
      }
    }
  }
}

}  // namespace
}  // namespace impasto
