#include "weights_converter/pickle.h"

#include <algorithm>
#include <unordered_map>

#include "impasto/error.h"
#include "weights_converter/input_file.h"

namespace impasto {
namespace {

// Everything a pickle may name. The storages' element types are told apart in torch_checkpoint.cc.
constexpr const char* kAllowedNames[] = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.nn.parameter.Parameter",
    "torch.FloatStorage",
    "torch.DoubleStorage",
    "torch.HalfStorage",
    "torch.BFloat16Storage",
    "torch.ByteStorage",
    "torch.CharStorage",
    "torch.ShortStorage",
    "torch.IntStorage",
    "torch.LongStorage",
    "torch.BoolStorage",
};

// Bounds on what one value recalled again and again could cost. Real arguments are at most seven, real sizes four.
constexpr std::size_t kMostArguments = 8;
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kMostCopiedItems = std::size_t{1} << 20;

}  // namespace

class PickleMachine {
 public:
  using Index = Pickle::Index;
  using Kind = Pickle::Kind;
  using Value = Pickle::Value;

  PickleMachine(Pickle& pickle, std::span<const std::byte> bytes, const std::string& where)
      : values_(pickle.values_), bytes_(bytes), where_(where) {}

  // Returns the root; position() is then behind the STOP.
  Index run() {
    while (true) {
      const auto opcode = std::to_integer<unsigned char>(take(1)[0]);
      if (opcode == '.') return pop();
      step(opcode);
    }
  }
  std::size_t position() const { return position_; }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw WeightError(where_ + ": pickle " + what + " at byte " + std::to_string(position_));
  }

  // --- input
  std::span<const std::byte> take(std::uint64_t size) {
    if (size > bytes_.size() - position_) refuse("is cut short");
    position_ += size;
    return bytes_.subspan(position_ - size, size);
  }
  std::uint64_t take_number(std::size_t size) { return little_endian(take(size)); }
  std::string take_text(std::uint64_t size) {
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string take_line() {
    const auto rest = bytes_.subspan(position_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) refuse("is cut short");
    std::string line = take_text(static_cast<std::uint64_t>(end - rest.begin()));
    take(1);
    return line;
  }

  // --- stack
  void push(Index index) { stack_.push_back(index); }
  Index push_value(Value value) {
    values_.push_back(std::move(value));
    push(static_cast<Index>(values_.size() - 1));
    return stack_.back();
  }
  // The part of the stack above the latest mark is all that an opcode may touch.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Index pop() {
    if (stack_.size() <= floor()) refuse("takes from an empty stack");
    const Index top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Index top() {
    const Index index = pop();
    push(index);
    return index;
  }
  std::vector<Index> pop_to_mark() {
    if (marks_.empty()) refuse("has no mark");
    std::vector<Index> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_tuple(std::size_t size) {
    Value tuple{.kind = Kind::kTuple};
    for (std::size_t i = 0; i < size; ++i) tuple.items.insert(tuple.items.begin(), pop());
    push_value(std::move(tuple));
  }

  // --- memo
  void memoize(std::uint64_t slot) { memo_[slot] = top(); }
  void recall(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) refuse("recalls what it never stored");
    push(found->second);
  }

  // --- meaning
  void push_global(const std::string& name) {
    if (std::find(std::begin(kAllowedNames), std::end(kAllowedNames), name) == std::end(kAllowedNames)) {
      refuse("asks for " + printable(name) + ", which no checkpoint needs; refused, nothing was run");
    }
    push_value({.kind = Kind::kGlobal, .text = name});
  }
  void append(std::span<const Index> items) {
    Value& list = values_[top()];
    if (list.kind != Kind::kList) refuse("appends to something that is no list");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void set_items(std::span<const Index> items) {
    Value& dict = values_[top()];
    if (dict.kind != Kind::kDict || items.size() % 2 != 0) refuse("sets items of something that is no dictionary");
    dict.items.insert(dict.items.end(), items.begin(), items.end());
  }
  // A storage by its persistent id, ("storage", type, key, location, elements[, view]).
  void push_storage() {
    const Value& id = values_[pop()];
    const bool good = id.kind == Kind::kTuple && id.items.size() >= 5 && id.items.size() <= 6 && is_text(id.items[0], "storage") &&
                      values_[id.items[1]].kind == Kind::kGlobal && values_[id.items[2]].kind == Kind::kText &&
                      values_[id.items[4]].kind == Kind::kInteger;
    if (!good) refuse("has a persistent id that is no storage");
    push_value({.kind = Kind::kStorage, .items = std::vector<Index>(id.items.begin() + 1, id.items.end())});
  }
  bool is_text(Index index, const char* text) const { return values_[index].kind == Kind::kText && values_[index].text == text; }

  void reduce() {
    const std::vector<Index> arguments = pop_arguments();
    const std::string name = pop_callable();
    if (name == "collections.OrderedDict") return push_ordered_dict(arguments);
    if (name == "torch._utils._rebuild_tensor" || name == "torch._utils._rebuild_tensor_v2") return push_tensor(arguments);
    if (name == "torch._utils._rebuild_parameter" || name == "torch.nn.parameter.Parameter") return push_parameter(arguments);
    refuse("calls " + name + ", which is a type, not a function");
  }
  void new_object() {
    const std::vector<Index> arguments = pop_arguments();
    const std::string name = pop_callable();
    if (name == "torch.nn.parameter.Parameter") return push_parameter(arguments);
    if (name == "collections.OrderedDict") return push_ordered_dict(arguments);
    refuse("makes an object of type " + name);
  }
  // BUILD gives a dictionary or a parameter attributes beside its contents (_metadata, requires_grad); they say nothing about the numbers.
  void build() {
    pop();
    const Kind kind = values_[top()].kind;
    if (kind != Kind::kDict && kind != Kind::kTensor) refuse("sets the state of something that has none");
  }
  std::vector<Index> pop_arguments() {
    const Value& arguments = values_[pop()];
    if (arguments.kind != Kind::kTuple || arguments.items.size() > kMostArguments) refuse("calls with odd arguments");
    return arguments.items;
  }
  std::string pop_callable() {
    const Value& callable = values_[pop()];
    if (callable.kind != Kind::kGlobal) refuse("calls something that is no function");
    return callable.text;
  }
  // OrderedDict() or, as Python 2 wrote it, OrderedDict([[key, value], ...]).
  void push_ordered_dict(const std::vector<Index>& arguments) {
    Value dict{.kind = Kind::kDict};
    if (arguments.size() > 1 || (arguments.size() == 1 && values_[arguments[0]].kind != Kind::kList)) refuse("has an odd OrderedDict");
    if (arguments.size() == 1) {
      for (const Index pair : values_[arguments[0]].items) {
        if (++copied_items_ > kMostCopiedItems) refuse("is too large");
        if (values_[pair].items.size() != 2) refuse("has an odd OrderedDict");
        dict.items.insert(dict.items.end(), values_[pair].items.begin(), values_[pair].items.end());
      }
    }
    push_value(std::move(dict));
  }
  // (storage, first element, sizes, strides, ...); what follows concerns gradients.
  void push_tensor(const std::vector<Index>& arguments) {
    const bool good = arguments.size() >= 4 && arguments.size() <= 7 && values_[arguments[0]].kind == Kind::kStorage &&
                      values_[arguments[1]].kind == Kind::kInteger && is_sizes(arguments[2]) && is_sizes(arguments[3]);
    if (!good) refuse("has a tensor of unknown make");
    push_value({.kind = Kind::kTensor, .items = std::vector<Index>(arguments.begin(), arguments.begin() + 4)});
  }
  bool is_sizes(Index index) const {
    const Value& value = values_[index];
    return (value.kind == Kind::kTuple || value.kind == Kind::kList) && value.items.size() <= kMostDimensions &&
           std::all_of(value.items.begin(), value.items.end(), [&](Index item) { return values_[item].kind == Kind::kInteger; });
  }
  // A parameter is its tensor.
  void push_parameter(const std::vector<Index>& arguments) {
    if (arguments.empty() || values_[arguments[0]].kind != Kind::kTensor) refuse("has a parameter without a tensor");
    push(arguments[0]);
  }
  void push_integer(std::int64_t integer) { push_value({.kind = Kind::kInteger, .integer = integer}); }
  // Two's complement of any length.
  void push_long(std::uint64_t size) {
    const std::string text = take_text(size);
    if (size > 8) {
      push_value({.kind = Kind::kBytes, .text = text});
      return;
    }
    std::uint64_t bits = little_endian(std::as_bytes(std::span(text)));
    if (size > 0 && size < 8 && (text.back() & 0x80)) bits |= ~std::uint64_t{0} << (8 * size);
    push_integer(static_cast<std::int64_t>(bits));
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (take_number(1) > 5) refuse("is of a protocol above 5");
        break;
      case 0x95:  // FRAME: a hint for readers
        take(8);
        break;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case '0':  // POP
        pop();
        break;
      case 'N':  // NONE
        push_value({});
        break;
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        push_value({.kind = Kind::kBool, .integer = opcode == 0x88});
        break;
      case 'J':  // BININT
        push_integer(static_cast<std::int32_t>(take_number(4)));
        break;
      case 'K':  // BININT1
        push_integer(static_cast<std::int64_t>(take_number(1)));
        break;
      case 'M':  // BININT2
        push_integer(static_cast<std::int64_t>(take_number(2)));
        break;
      case 0x8a:  // LONG1
        push_long(take_number(1));
        break;
      case 'G':  // BINFLOAT: no checkpoint's tensors depend on one
        take(8);
        push_value({.kind = Kind::kReal});
        break;
      case 'X':  // BINUNICODE
      case 'T':  // BINSTRING
        push_value({.kind = Kind::kText, .text = take_text(take_number(4))});
        break;
      case 0x8c:  // SHORT_BINUNICODE
      case 'U':   // SHORT_BINSTRING
        push_value({.kind = Kind::kText, .text = take_text(take_number(1))});
        break;
      case ')':  // EMPTY_TUPLE
        push_tuple(0);
        break;
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        push_tuple(opcode - 0x84u);
        break;
      case 't':  // TUPLE
        push_value({.kind = Kind::kTuple, .items = pop_to_mark()});
        break;
      case ']':  // EMPTY_LIST
        push_value({.kind = Kind::kList});
        break;
      case 'a': {  // APPEND
        const Index item = pop();
        append({&item, 1});
        break;
      }
      case 'e':  // APPENDS
        append(pop_to_mark());
        break;
      case '}':  // EMPTY_DICT
        push_value({.kind = Kind::kDict});
        break;
      case 's': {  // SETITEM
        const Index value = pop();
        const Index item[] = {pop(), value};
        set_items(item);
        break;
      }
      case 'u':  // SETITEMS
        set_items(pop_to_mark());
        break;
      case 'q':  // BINPUT
        memoize(take_number(1));
        break;
      case 'r':  // LONG_BINPUT
        memoize(take_number(4));
        break;
      case 0x94:  // MEMOIZE
        memoize(memo_.size());
        break;
      case 'h':  // BINGET
        recall(take_number(1));
        break;
      case 'j':  // LONG_BINGET
        recall(take_number(4));
        break;
      case 'c': {  // GLOBAL
        const std::string module = take_line();
        push_global(module + '.' + take_line());
        break;
      }
      case 0x93: {  // STACK_GLOBAL
        const Value& name = values_[pop()];
        const Value& module = values_[pop()];
        if (name.kind != Kind::kText || module.kind != Kind::kText) refuse("names a global by something that is no text");
        push_global(module.text + '.' + name.text);
        break;
      }
      case 'Q':  // BINPERSID
        push_storage();
        break;
      case 'R':  // REDUCE
        reduce();
        break;
      case 0x81:  // NEWOBJ
        new_object();
        break;
      case 'b':  // BUILD
        build();
        break;
      default:
        refuse("uses opcode " + std::to_string(opcode) + ", which no checkpoint needs; refused");
    }
  }

  std::vector<Value>& values_;
  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::size_t position_ = 0;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Index> memo_;
  std::size_t copied_items_ = 0;
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& where) {
  PickleMachine machine(*this, bytes, where);
  root_ = machine.run();
  length_ = machine.position();
}

}  // namespace impasto
