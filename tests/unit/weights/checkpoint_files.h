// Writes small checkpoints in every format the converter reads, byte by byte and without the converter's own code, so that tests can make
// files that are right, and files that are wrong in one chosen way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace impasto::testing {

// A folder of its own for each test, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // Returns the file's path.
  std::string write(const std::string& name, const std::string& bytes) const;
  std::vector<std::string> names() const;

 private:
  std::filesystem::path folder_;
};

// size low bytes of value, least first.
std::string little(std::uint64_t value, int size);

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

struct FileTensor {
  std::string name;
  std::string type;  // of the torch storage: "Float", "Half", "BFloat16", "Double", "Byte", "Long"
  std::vector<std::int64_t> shape;
  std::string data;                       // the storage
  std::vector<std::int64_t> stride = {};  // empty: row-major
  std::int64_t first = 0;
};

// The opcodes that the tests need.
namespace pickle {
std::string text(const std::string& value);
std::string integer(std::int64_t value);
std::string tuple(const std::vector<std::string>& items);
std::string global(const std::string& module, const std::string& name);
std::string program(const std::string& body);  // PROTO 2, body, STOP
// One tensor; legacy persistent ids have a sixth part.
std::string tensor(const FileTensor& tensor, const std::string& key, bool legacy);
// An OrderedDict of the tensors, with storage keys "0", "1", ...
std::string state_dict(const std::vector<FileTensor>& tensors, bool legacy);
}  // namespace pickle

struct ZipPart {
  std::string name;
  std::string content;
};
std::string zip(const std::vector<ZipPart>& parts, bool zip64 = false);

std::string torch_zip(const std::vector<FileTensor>& tensors, bool zip64 = false);
std::string torch_legacy(const std::vector<FileTensor>& tensors);
// The five pickles with a dictionary of one's own, and storages as given.
std::string torch_legacy(const std::string& dictionary, const std::vector<FileTensor>& storages);
std::string safetensors(const std::vector<FileTensor>& tensors);
std::string safetensors(const std::string& header, const std::string& data);

}  // namespace impasto::testing
