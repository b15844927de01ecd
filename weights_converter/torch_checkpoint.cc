#include "weights_converter/torch_checkpoint.h"

#include <algorithm>
#include <map>

#include "impasto/error.h"
#include "weights_converter/pickle.h"
#include "weights_converter/stored_checkpoint.h"
#include "weights_converter/zip_directory.h"

namespace impasto {
namespace {

using Index = Pickle::Index;
using Kind = Pickle::Kind;
using Value = Pickle::Value;

constexpr std::uint64_t kLargestPickle = std::uint64_t{1} << 20;  // VGG19's takes 5 to 20 KB

// torch.*Storage
struct StorageType {
  const char* name;
  ElementType type;
  std::uint64_t element_bytes;
};
constexpr StorageType kStorageTypes[] = {
    {"torch.FloatStorage", ElementType::kFloat32, 4}, {"torch.DoubleStorage", ElementType::kFloat64, 8},
    {"torch.HalfStorage", ElementType::kFloat16, 2},  {"torch.BFloat16Storage", ElementType::kBfloat16, 2},
    {"torch.ByteStorage", ElementType::kUint8, 1},    {"torch.CharStorage", ElementType::kOther, 1},
    {"torch.ShortStorage", ElementType::kOther, 2},   {"torch.IntStorage", ElementType::kOther, 4},
    {"torch.LongStorage", ElementType::kOther, 8},    {"torch.BoolStorage", ElementType::kOther, 1},
};

struct StorageReference {
  std::string key;
  const StorageType* type = nullptr;
  std::uint64_t elements = 0;
};

StorageReference storage_reference(const Pickle& pickle, const Value& storage, const std::string& path) {
  StorageReference reference{.key = pickle.at(storage.items[1]).text};
  const auto refuse = [&](const std::string& what) { return WeightError(path + ": storage " + printable(reference.key) + " " + what); };
  const std::string& name = pickle.at(storage.items[0]).text;
  for (const StorageType& type : kStorageTypes) {
    if (name == type.name) reference.type = &type;
  }
  if (!reference.type) throw refuse("is of type " + name + ", which is no storage");
  const std::int64_t elements = pickle.at(storage.items[3]).integer;
  if (elements < 0) throw refuse("has a negative size");
  reference.elements = static_cast<std::uint64_t>(elements);
  if (storage.items.size() > 4 && pickle.at(storage.items[4]).kind != Kind::kNone) {
    throw refuse("is a view of another, as PyTorch before 0.4 wrote; save the checkpoint again with a later PyTorch");
  }
  return reference;
}

std::vector<std::int64_t> integers(const Pickle& pickle, Index index) {
  std::vector<std::int64_t> result;
  for (const Index item : pickle.at(index).items) result.push_back(pickle.at(item).integer);
  return result;
}

struct NamedTensor {
  std::string name;
  const Value* tensor;
};

// The tensors of the dictionary that the pickle holds. Other entries are no concern of ours.
std::vector<NamedTensor> named_tensors(const Pickle& pickle, const std::string& path) {
  const Value& root = pickle.root();
  if (root.kind != Kind::kDict)
    throw WeightError(path + ": its pickle holds no dictionary of tensors (a state_dict), which is what is accepted");
  std::vector<NamedTensor> result;
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const Value& key = pickle.at(root.items[i]);
    const Value& value = pickle.at(root.items[i + 1]);
    if (key.kind == Kind::kText && value.kind == Kind::kTensor) result.push_back({key.text, &value});
  }
  return result;
}

// locate(reference) gives the storage's offset in the file, its size there checked against the reference.
template <class Locate>
void add_tensors(StoredCheckpoint& checkpoint, const Pickle& pickle, const Locate& locate) {
  for (const NamedTensor& named : named_tensors(pickle, checkpoint.file().path())) {
    const std::vector<Index>& parts = named.tensor->items;
    const StorageReference reference = storage_reference(pickle, pickle.at(parts[0]), checkpoint.file().path());
    const std::int64_t first = pickle.at(parts[1]).integer;
    if (first < 0) throw WeightError(checkpoint.file().path() + ": tensor " + printable(named.name) + " starts before its storage");
    checkpoint.add({named.name, reference.type->type, integers(pickle, parts[2])},
                   {locate(reference), reference.elements, static_cast<std::uint64_t>(first), integers(pickle, parts[3])});
  }
}

std::uint64_t storage_bytes(const StorageReference& reference, const std::string& path) {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(reference.elements, reference.type->element_bytes, &bytes)) {
    throw WeightError(path + ": storage " + printable(reference.key) + " claims " + std::to_string(reference.elements) + " elements");
  }
  return bytes;
}

// Reads the pickles at the head of a legacy file one after another.
class PickleSequence {
 public:
  explicit PickleSequence(const InputFile& file) : path_(file.path()), bytes_(file.read(0, std::min(file.size(), kLargestPickle))) {}
  Pickle next() {
    Pickle pickle{std::span<const std::byte>(bytes_).subspan(position_), path_};
    position_ += pickle.length();
    return pickle;
  }
  std::uint64_t position() const { return position_; }

 private:
  const std::string& path_;
  std::vector<std::byte> bytes_;
  std::size_t position_ = 0;
};

bool says_big_endian(const Pickle& system) {
  const Value& root = system.root();
  if (root.kind != Kind::kDict) return false;
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    if (system.at(root.items[i]).text == "little_endian") return system.at(root.items[i + 1]).integer == 0;
  }
  return false;
}

constexpr const char* kBigEndian = " was written on a big-endian machine, which is not supported; save it again on a little-endian one";

}  // namespace

std::unique_ptr<Checkpoint> read_torch_zip(std::unique_ptr<InputFile> file) {
  auto checkpoint = std::make_unique<StoredCheckpoint>(std::move(file));
  const InputFile& input = checkpoint->file();
  std::map<std::string, ZipEntry> entries;
  std::string folder;
  for (ZipEntry& entry : read_zip_directory(input)) {
    const std::size_t slash = entry.name.find('/');
    if (slash != std::string::npos && entry.name.substr(slash) == "/data.pkl") folder = entry.name.substr(0, slash + 1);
    std::string name = entry.name;
    entries.emplace(std::move(name), std::move(entry));
  }
  if (folder.empty()) throw WeightError(input.path() + " is a zip archive but no PyTorch checkpoint: it has no data.pkl");
  if (const auto order = entries.find(folder + "byteorder"); order != entries.end()) {
    const std::vector<std::byte> text = input.read(order->second.offset, std::min<std::uint64_t>(order->second.size, 3));
    if (text == std::vector{std::byte{'b'}, std::byte{'i'}, std::byte{'g'}}) throw WeightError(input.path() + kBigEndian);
  }
  const ZipEntry& program = entries.at(folder + "data.pkl");
  if (program.size > kLargestPickle) {
    throw WeightError(input.path() + ": its pickle has " + std::to_string(program.size) + " bytes; at most " +
                      std::to_string(kLargestPickle) + " are accepted");
  }
  const Pickle pickle(input.read(program.offset, program.size), input.path());
  add_tensors(*checkpoint, pickle, [&](const StorageReference& reference) {
    const auto entry = entries.find(folder + "data/" + reference.key);
    if (entry == entries.end() || entry->second.size != storage_bytes(reference, input.path())) {
      throw WeightError(input.path() + ": storage " + printable(reference.key) + " of " + std::to_string(reference.elements) +
                        " elements is " + (entry == entries.end() ? "missing" : "of another size in the archive"));
    }
    return entry->second.offset;
  });
  return checkpoint;
}

std::unique_ptr<Checkpoint> read_torch_legacy(std::unique_ptr<InputFile> file) {
  auto checkpoint = std::make_unique<StoredCheckpoint>(std::move(file));
  const InputFile& input = checkpoint->file();
  const std::string& path = input.path();
  static constexpr char kMagic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
  constexpr std::int64_t kProtocol = 1001;

  PickleSequence pickles(input);
  const Pickle magic = pickles.next();
  if (magic.root().kind != Kind::kBytes || magic.root().text != kMagic) {
    throw WeightError(path + " is a pickle but no PyTorch checkpoint: it does not begin with PyTorch's number");
  }
  if (const Pickle protocol = pickles.next(); protocol.root().integer != kProtocol) {
    throw WeightError(path + ": unknown version " + std::to_string(protocol.root().integer) +
                      " of PyTorch's legacy format; accepted: 1001");
  }
  if (says_big_endian(pickles.next())) throw WeightError(path + kBigEndian);
  const Pickle pickle = pickles.next();
  const Pickle keys = pickles.next();

  std::map<std::string, StorageReference> references;
  for (const NamedTensor& named : named_tensors(pickle, path)) {
    StorageReference reference = storage_reference(pickle, pickle.at(named.tensor->items[0]), path);
    std::string key = reference.key;
    const auto [known, first] = references.emplace(std::move(key), reference);
    if (!first && (known->second.type != reference.type || known->second.elements != reference.elements)) {
      throw WeightError(path + ": storage " + printable(reference.key) + " is said to be of two sizes or types");
    }
  }
  std::map<std::string, std::uint64_t> offsets;
  std::uint64_t position = pickles.position();
  for (const Index index : keys.root().items) {
    const std::string& key = keys.at(index).text;
    const auto reference = references.find(key);
    if (reference == references.end()) throw WeightError(path + ": storage " + printable(key) + " belongs to no tensor");
    if (little_endian(input.read(position, 8)) != reference->second.elements) {
      throw WeightError(path + " is damaged: storage " + printable(key) + " should have " + std::to_string(reference->second.elements) +
                        " elements");
    }
    position += 8;
    const std::uint64_t bytes = storage_bytes(reference->second, path);
    if (bytes > input.size() - position) throw WeightError(path + " is cut short in storage " + printable(key));
    if (!offsets.emplace(key, position).second) throw WeightError(path + ": storage " + printable(key) + " is there twice");
    position += bytes;
  }
  if (position != input.size()) throw WeightError(path + " is damaged: " + std::to_string(input.size() - position) + " bytes too many");
  add_tensors(*checkpoint, pickle, [&](const StorageReference& reference) {
    const auto offset = offsets.find(reference.key);
    if (offset == offsets.end()) throw WeightError(path + ": storage " + printable(reference.key) + " is missing");
    return offset->second;
  });
  return checkpoint;
}

}  // namespace impasto
