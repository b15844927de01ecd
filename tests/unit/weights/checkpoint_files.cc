#include "checkpoint_files.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>

namespace impasto::testing {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "impasto-weights-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder");
  folder_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code none;
  std::filesystem::remove_all(folder_, none);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream file(folder_ / name, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + name);
  return path(name);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
  return names;
}

std::string little(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i) & 0xff) : char{0};
  return bytes;
}

namespace {

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> stride(shape.size());
  std::uint64_t step = 1;  // unsigned: tests ask for shapes whose product overflows
  for (std::size_t i = shape.size(); i-- > 0; step *= static_cast<std::uint64_t>(shape[i])) stride[i] = static_cast<std::int64_t>(step);
  return stride;
}

std::size_t element_bytes(const std::string& type) {
  static const std::map<std::string, std::size_t> kBytes = {{"Float", 4},  {"Half", 2}, {"BFloat16", 2},
                                                            {"Double", 8}, {"Byte", 1}, {"Long", 8}};
  return kBytes.at(type);
}

}  // namespace

namespace pickle {

std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }

std::string integer(std::int64_t value) { return "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8); }

std::string tuple(const std::vector<std::string>& items) {
  std::string body = "(";
  for (const std::string& item : items) body += item;
  return body + "t";
}

std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }

std::string program(const std::string& body) { return "\x80\x02" + body + "."; }

std::string tensor(const FileTensor& tensor, const std::string& key, bool legacy) {
  const auto elements = static_cast<std::int64_t>(tensor.data.size() / element_bytes(tensor.type));
  std::vector<std::string> id = {text("storage"), global("torch", tensor.type + "Storage"), text(key), text("cpu"), integer(elements)};
  if (legacy) id.push_back("N");
  std::vector<std::string> shape;
  std::vector<std::string> stride;
  for (const std::int64_t size : tensor.shape) shape.push_back(integer(size));
  for (const std::int64_t step : tensor.stride.empty() ? row_major(tensor.shape) : tensor.stride) stride.push_back(integer(step));
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({tuple(id) + "Q", integer(tensor.first), tuple(shape), tuple(stride), "\x89", global("collections", "OrderedDict") + ")R"}) +
         "R";
}

std::string state_dict(const std::vector<FileTensor>& tensors, bool legacy) {
  std::string body = global("collections", "OrderedDict") + ")R(";
  for (std::size_t i = 0; i < tensors.size(); ++i) body += text(tensors[i].name) + tensor(tensors[i], std::to_string(i), legacy);
  return program(body + "u");
}

}  // namespace pickle

std::string zip(const std::vector<ZipPart>& parts, bool zip64) {
  std::string bytes;
  std::string directory;
  for (const auto& [name, content] : parts) {
    const std::string offset = little(zip64 ? 0xffffffff : bytes.size(), 4);
    const std::string size = little(zip64 ? 0xffffffff : content.size(), 4);
    const std::string wide = little(1, 2) + little(24, 2) + little(content.size(), 8) + little(content.size(), 8) + little(bytes.size(), 8);
    const std::string extra = zip64 ? wide : "";
    directory += "PK\x01\x02" + little(0, 16) + size + size + little(name.size(), 2) + little(extra.size(), 2) + little(0, 10) + offset +
                 name + extra;
    // PyTorch aligns contents by an extra field in the local header, which the directory lacks.
    const std::string padding = "FB" + little(3, 2) + "ZZZ";
    bytes += "PK\x03\x04" + little(0, 14) + size + size + little(name.size(), 2) + little(padding.size(), 2) + name + padding + content;
  }
  const std::size_t start = bytes.size();
  bytes += directory;
  if (zip64) {
    const std::size_t end = bytes.size();
    bytes += "PK\x06\x06" + little(44, 8) + little(0, 12) + little(parts.size(), 8) + little(parts.size(), 8) +
             little(directory.size(), 8) + little(start, 8);
    bytes += "PK\x06\x07" + little(0, 4) + little(end, 8) + little(1, 4);
    return bytes + "PK\x05\x06" + little(0, 4) + little(0xffff, 2) + little(0xffff, 2) + little(0xffffffff, 4) + little(0xffffffff, 4) +
           little(0, 2);
  }
  return bytes + "PK\x05\x06" + little(0, 4) + little(parts.size(), 2) + little(parts.size(), 2) + little(directory.size(), 4) +
         little(start, 4) + little(0, 2);
}

std::string torch_zip(const std::vector<FileTensor>& tensors, bool zip64) {
  std::vector<ZipPart> parts = {{"model/data.pkl", pickle::state_dict(tensors, false)}, {"model/byteorder", "little"}};
  for (std::size_t i = 0; i < tensors.size(); ++i) parts.push_back({"model/data/" + std::to_string(i), tensors[i].data});
  parts.push_back({"model/version", "3\n"});
  return zip(parts, zip64);
}

std::string torch_legacy(const std::string& dictionary, const std::vector<FileTensor>& storages) {
  std::string bytes = pickle::program("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
                      pickle::program(std::string("M") + little(1001, 2)) +
                      pickle::program("}(" + pickle::text("little_endian") + "\x88u") + dictionary;
  std::string keys = "](";
  for (std::size_t i = 0; i < storages.size(); ++i) keys += pickle::text(std::to_string(i));
  bytes += pickle::program(keys + "e");
  for (const FileTensor& storage : storages) bytes += little(storage.data.size() / element_bytes(storage.type), 8) + storage.data;
  return bytes;
}

std::string torch_legacy(const std::vector<FileTensor>& tensors) { return torch_legacy(pickle::state_dict(tensors, true), tensors); }

std::string safetensors(const std::string& header, const std::string& data) { return little(header.size(), 8) + header + data; }

std::string safetensors(const std::vector<FileTensor>& tensors) {
  static const std::map<std::string, std::string> kDtypes = {{"Float", "F32"},  {"Half", "F16"}, {"BFloat16", "BF16"},
                                                             {"Double", "F64"}, {"Byte", "U8"},  {"Long", "I64"}};
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::string data;
  for (const FileTensor& tensor : tensors) {
    std::string shape;
    for (const std::int64_t size : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(size);
    header += ",\"" + tensor.name + "\":{\"dtype\":\"" + kDtypes.at(tensor.type) + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(data.size()) + "," + std::to_string(data.size() + tensor.data.size()) + "]}";
    data += tensor.data;
  }
  return safetensors(header + "}", data);
}

}  // namespace impasto::testing
