#include "weights_converter/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "impasto/error.h"
#include "weights_converter/stored_checkpoint.h"

namespace impasto {
namespace {

constexpr std::uint64_t kLargestHeader = std::uint64_t{1} << 22;  // VGG19's is 4 KB

struct Dtype {
  const char* name;
  ElementType type;
  std::uint64_t bytes;
};
constexpr Dtype kDtypes[] = {
    {"F32", ElementType::kFloat32, 4}, {"F16", ElementType::kFloat16, 2},   {"BF16", ElementType::kBfloat16, 2},
    {"F64", ElementType::kFloat64, 8}, {"U8", ElementType::kUint8, 1},      {"I8", ElementType::kOther, 1},
    {"BOOL", ElementType::kOther, 1},  {"F8_E5M2", ElementType::kOther, 1}, {"F8_E4M3", ElementType::kOther, 1},
    {"I16", ElementType::kOther, 2},   {"U16", ElementType::kOther, 2},     {"I32", ElementType::kOther, 4},
    {"U32", ElementType::kOther, 4},   {"I64", ElementType::kOther, 8},     {"U64", ElementType::kOther, 8},
};

struct Entry {
  std::string name;
  const Dtype* dtype = nullptr;
  std::vector<std::int64_t> shape{};
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

nlohmann::json parse_header(const std::vector<std::byte>& text, const std::string& path) {
  std::set<std::string> names;
  const auto once = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
      throw WeightError(path + ": tensor " + printable(parsed.get<std::string>()) + " is there twice");
    }
    return true;
  };
  const auto* begin = reinterpret_cast<const char*>(text.data());
  nlohmann::json header;
  try {
    header = nlohmann::json::parse(begin, begin + text.size(), once);
  } catch (const nlohmann::json::exception&) {
    throw WeightError(path + " is damaged: its safetensors header is not JSON");
  }
  if (!header.is_object()) throw WeightError(path + " is damaged: its safetensors header is not a JSON object");
  return header;
}

Entry parse_entry(const std::string& name, const nlohmann::json& value, const std::string& path) {
  const auto refuse = [&](const std::string& what) { return WeightError(path + ": tensor " + printable(name) + " " + what); };
  const auto are_sizes = [](const nlohmann::json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), [](const nlohmann::json& size) {
             return size.is_number_unsigned() && size.get<std::uint64_t>() <= INT64_MAX;
           });
  };
  const nlohmann::json empty;
  const auto part = [&](const char* key) -> const nlohmann::json& { return value.is_object() && value.contains(key) ? value[key] : empty; };
  if (!part("dtype").is_string() || !are_sizes(part("shape")) || !are_sizes(part("data_offsets")) || part("data_offsets").size() != 2) {
    throw refuse("has no proper dtype, shape and data_offsets");
  }
  Entry entry{.name = name};
  for (const Dtype& dtype : kDtypes) {
    if (part("dtype") == dtype.name) entry.dtype = &dtype;
  }
  if (!entry.dtype) throw refuse("is of unknown type " + printable(part("dtype").get<std::string>()));
  entry.begin = part("data_offsets")[0].get<std::uint64_t>();
  entry.end = part("data_offsets")[1].get<std::uint64_t>();
  std::uint64_t bytes = entry.dtype->bytes;
  bool overflow = false;
  for (const nlohmann::json& size : part("shape")) {
    entry.shape.push_back(size.get<std::int64_t>());
    overflow |= __builtin_mul_overflow(bytes, size.get<std::uint64_t>(), &bytes);
  }
  if (overflow || entry.begin > entry.end || entry.end - entry.begin != bytes) {
    throw refuse("of shape " + shape_text(entry.shape) + " does not fit its bytes " + std::to_string(entry.begin) + " to " +
                 std::to_string(entry.end));
  }
  return entry;
}

}  // namespace

std::unique_ptr<Checkpoint> read_safetensors(std::unique_ptr<InputFile> file) {
  auto checkpoint = std::make_unique<StoredCheckpoint>(std::move(file));
  const InputFile& input = checkpoint->file();
  const std::uint64_t header_size = little_endian(input.read(0, 8));
  if (header_size > kLargestHeader) {
    throw WeightError(input.path() + ": its safetensors header claims " + std::to_string(header_size) + " bytes; at most " +
                      std::to_string(kLargestHeader) + " are accepted");
  }
  const nlohmann::json header = parse_header(input.read(8, header_size), input.path());
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") entries.push_back(parse_entry(name, value, input.path()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });

  const std::uint64_t data = 8 + header_size;
  std::uint64_t position = 0;
  for (Entry& entry : entries) {
    if (entry.begin != position) {
      throw WeightError(input.path() + ": tensor " + printable(entry.name) + " begins at " + std::to_string(entry.begin) + " where " +
                        std::to_string(position) + " is expected: a hole or an overlap");
    }
    position = entry.end;
    if (position > input.size() - data) throw WeightError(input.path() + " is cut short in tensor " + printable(entry.name));
    std::vector<std::int64_t> stride(entry.shape.size());
    std::int64_t elements = entry.begin == entry.end ? 0 : 1;  // without elements the other sizes may be anything
    for (std::size_t i = stride.size(); i-- > 0; elements *= entry.shape[i]) stride[i] = elements;
    checkpoint->add({std::move(entry.name), entry.dtype->type, std::move(entry.shape)},
                    {data + entry.begin, (entry.end - entry.begin) / entry.dtype->bytes, 0, std::move(stride)});
  }
  if (position != input.size() - data) {
    throw WeightError(input.path() + " is damaged: " + std::to_string(input.size() - data - position) + " bytes too many");
  }
  return checkpoint;
}

}  // namespace impasto
