#include "host/id_pattern.h"

#include <optional>
#include <string>

#include "host/failure.h"

namespace swarmgrad::host {
namespace {

constexpr size_t longest_number = 9;  // digits, so that none overflows

class Reader {
 public:
  explicit Reader(const EnvironmentTable &table) : table_(table), values_(static_cast<size_t>(table.parameter_count)) {}

  bool read(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '[') {
      const size_t end = pattern.find(']');
      const std::string_view piece = pattern.substr(1, end - 1), rest = pattern.substr(end + 1);
      return read(std::string(piece).append(rest), text) || read(rest, text);
    }
    if (pattern[0] == '{') {
      const size_t end = pattern.find('}'), question = pattern.substr(0, end).find('?');
      const std::string_view name = pattern.substr(1, (question < end ? question : end) - 1);
      const std::string_view rest = pattern.substr(end + 1);
      if (question >= end) return read_value(name, rest, text);
      const std::string_view flag = pattern.substr(question + 1, end - question - 1);
      return (text.starts_with(flag) && read_as(name, 1, rest, text.substr(flag.size()))) || read(rest, text);
    }
    return !text.empty() && text[0] == pattern[0] && read(pattern.substr(1), text.substr(1));
  }

  double value(int parameter) const {
    return values_[static_cast<size_t>(parameter)].value_or(table_.parameter(parameter).default_value);
  }

 private:
  int index_of(std::string_view name) const {
    int index = 0;
    while (name != table_.parameter(index).name) ++index;
    return index;
  }

  bool read_value(std::string_view name, std::string_view rest, std::string_view text) {
    const ParameterShape shape = table_.parameter(index_of(name));
    if (shape.choices == nullptr) {
      size_t digits = 0;
      double value = 0;
      while (digits < text.size() && digits < longest_number && text[digits] >= '0' && text[digits] <= '9')
        value = 10 * value + (text[digits++] - '0');
      return digits > 0 && read_as(name, value, rest, text.substr(digits));
    }
    double value = shape.minimum;
    for (std::string_view left = shape.choices;; ++value) {
      const size_t end = left.find('|');
      const std::string_view choice = left.substr(0, end);
      if (text.starts_with(choice) && read_as(name, value, rest, text.substr(choice.size()))) return true;
      if (end == std::string_view::npos) return false;
      left.remove_prefix(end + 1);
    }
  }

  // Reads on with the parameter set, and takes the value back where that leads nowhere.
  bool read_as(std::string_view name, double value, std::string_view rest, std::string_view text) {
    std::optional<double> &slot = values_[static_cast<size_t>(index_of(name))];
    const std::optional<double> before = slot;
    if (before && *before != value) return false;
    slot = value;
    if (read(rest, text)) return true;
    slot = before;
    return false;
  }

  const EnvironmentTable &table_;
  std::vector<std::optional<double>> values_;
};

bool has_parameter(const EnvironmentTable &table, std::string_view name) {
  int index = 0;
  while (index < table.parameter_count && name != table.parameter(index).name) ++index;
  return index < table.parameter_count;
}

}  // namespace

void check_pattern(const EnvironmentTable &table) {
  const std::string_view pattern = table.id_pattern == nullptr ? "" : table.id_pattern;
  bool in_piece = false;
  for (size_t at = 0; at <= pattern.size(); ++at) {
    const size_t begin = at;
    const char c = at < pattern.size() ? pattern[at] : '\0';
    bool allowed = c == '\0' ? !in_piece : c != '}';
    if (c == '[' || c == ']') {
      allowed = in_piece == (c == ']');
      in_piece = c == '[';
    } else if (c == '{') {
      at = pattern.find_first_of("[]{}", begin + 1);
      const std::string_view inside = pattern.substr(begin + 1, at - begin - 1);
      allowed = at < pattern.size() && pattern[at] == '}' && has_parameter(table, inside.substr(0, inside.find('?')));
    }
    if (!allowed)
      reject(
          "environment %s: id_pattern '%s' is wrong from character %zu on; allowed: text, {parameter}, {parameter?text} "
          "and [piece], with parameters of the environment",
          table.id, table.id_pattern, begin);
  }
}

bool read_id(const EnvironmentTable &table, std::string_view id, std::vector<double> &values) {
  Reader reader(table);
  if (!reader.read(table.id_pattern == nullptr ? table.id : table.id_pattern, id)) return false;
  values.clear();
  for (int k = 0; k < table.parameter_count; ++k) values.push_back(reader.value(k));
  return true;
}

}  // namespace swarmgrad::host
