// Reads the pickles inside PyTorch checkpoints. A pickle is a program for a stack machine, and Python's own machine lets it call anything.
// This one knows the opcodes that PyTorch writes and the few names listed in pickle.cc, from which only tensors, numbers, strings, tuples,
// lists and dictionaries can come; whatever else a pickle asks for is refused by name. Nothing is ever called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace impasto {

class Pickle {
 public:
  enum class Kind { kNone, kBool, kInteger, kReal, kBytes, kText, kTuple, kList, kDict, kGlobal, kStorage, kTensor };
  using Index = std::uint32_t;  // of a value

  struct Value {
    Kind kind = Kind::kNone;
    std::int64_t integer = 0;  // kBool, kInteger
    std::string text{};        // kText; kGlobal: "module.name"; kBytes: an integer too long for 64 bits, little-endian
    // kTuple, kList: the elements. kDict: key, value, key, value, in the order given.
    // kStorage: what the persistent id holds after "storage": type, key, location, number of elements, and perhaps a view.
    // kTensor: storage, first element, sizes, strides.
    std::vector<Index> items{};
  };

  // Reads one pickle from the start of bytes. where opens every message. Throws WeightError. Never recurses, and takes memory in proportion
  // to the pickle.
  Pickle(std::span<const std::byte> bytes, const std::string& where);

  const Value& root() const { return values_[root_]; }
  const Value& at(Index index) const { return values_.at(index); }
  // Bytes the pickle took.
  std::size_t length() const { return length_; }

 private:
  friend class PickleMachine;
  std::vector<Value> values_;
  Index root_ = 0;
  std::size_t length_ = 0;
};

}  // namespace impasto
