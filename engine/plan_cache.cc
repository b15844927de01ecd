#include "engine/plan_cache.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/one_line.h"
#include "engine/replace_file.h"
#include "impasto/error.h"

namespace impasto {
namespace {

constexpr std::string_view kFormatName = "impasto plans";
constexpr std::string_view kFormat = "1";

// Reads a JSON object of strings without escapes.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Nothing for other text.
  std::optional<MeasuredPlans> object() {
    MeasuredPlans read;
    if (!take('{')) return std::nullopt;
    do {
      const std::optional<std::string> name = string();
      if (!name || !take(':')) return std::nullopt;
      const std::optional<std::string> value = string();
      if (!value || !read.emplace(*name, *value).second) return std::nullopt;
    } while (take(','));
    if (!take('}') || !at_end()) return std::nullopt;
    return read;
  }

 private:
  bool at_end() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    return rest_.empty();
  }

  bool take(char c) {
    if (at_end() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, end);
    if (std::any_of(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e || c == '\\'; })) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return std::string(text);
  }

  std::string_view rest_;
};

// Without the entry that names the format. Nothing for text of another.
std::optional<MeasuredPlans> plans_in(std::string_view text) {
  std::optional<MeasuredPlans> read = Reader(text).object();
  if (!read) return std::nullopt;
  const auto format = read->extract(std::string(kFormatName));
  if (!format || format.mapped() != kFormat) return std::nullopt;
  return read;
}

std::string text_of(const MeasuredPlans& plans) {
  std::string text = "{";
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append("\n \"").append(name).append("\": \"").append(value).append("\"");
  };
  add(kFormatName, kFormat);
  for (const auto& [name, value] : plans) {
    text += ',';
    add(name, value);
  }
  return text + "\n}\n";
}

struct Content {
  MeasuredPlans plans;
  // Why there are none where there might be; "" otherwise.
  std::string fault;
};

Content content_of(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {{}, error ? error.message() : ""};
  if (!std::filesystem::is_regular_file(path, error)) return {{}, "it is not a regular file"};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, std::generic_category().message(errno)};
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::optional<MeasuredPlans> plans = plans_in(text);
  if (!plans) return {{}, "it is damaged, or of another program"};
  return {std::move(*plans), ""};
}

}  // namespace

const MeasuredPlans& PlanCache::read() {
  if (path_.empty()) return known_;
  Content content = content_of(path_);
  known_ = std::move(content.plans);
  if (!content.fault.empty()) notices_.push_back("no measured plans are taken from " + one_line(path_) + ": " + content.fault);
  return known_;
}

void PlanCache::keep(const MeasuredPlans& plans) {
  const auto is_known = [this](const auto& plan) {
    const auto found = known_.find(plan.first);
    return found != known_.end() && found->second == plan.second;
  };
  if (path_.empty() || std::all_of(plans.begin(), plans.end(), is_known)) return;
  MeasuredPlans all = content_of(path_).plans;
  for (const auto& plan : plans) {
    if (!is_known(plan)) all.insert_or_assign(plan.first, plan.second);
  }
  known_ = plans;
  try {
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    // Where there is no folder now, replace_file says so.
    replace_file(path_, text_of(all));
  } catch (const IoError& error) {
    notices_.push_back(std::string("the measured plans are not kept: ") + error.what());
  }
}

std::vector<std::string> PlanCache::take_notices() { return std::exchange(notices_, {}); }

}  // namespace impasto
