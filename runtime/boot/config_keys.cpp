// SPDX-License-Identifier: MIT
#include "runtime/boot/config_keys.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>

namespace fantail {

namespace {

using std::chrono::nanoseconds;

struct unit {
  std::string_view name;
  int64_t factor;
};

// Largest first: rendering takes the first one that divides.
constexpr unit byte_units[] = {{"TiB", int64_t{1} << 40},
                               {"GiB", int64_t{1} << 30},
                               {"MiB", int64_t{1} << 20},
                               {"KiB", int64_t{1} << 10},
                               {"B", 1}};
constexpr unit time_units[]
    = {{"h", 3'600'000'000'000}, {"min", 60'000'000'000}, {"s", 1'000'000'000},
       {"ms", 1'000'000},        {"us", 1'000},           {"ns", 1}};

/// Reads "16MiB" or "500ms". Nothing if there is no number, no known unit, or
/// if the result does not fit.
std::optional<int64_t> read_with_unit(std::string_view text,
                                      std::span<const unit> units) {
  int64_t number = 0;
  auto* end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || number < 0)
    return std::nullopt;
  auto name = std::string_view(rest, static_cast<size_t>(end - rest));
  for (auto& x : units)
    if (x.name == name) {
      if (number > std::numeric_limits<int64_t>::max() / x.factor)
        return std::nullopt;
      return number * x.factor;
    }
  return std::nullopt;
}

std::string with_unit(int64_t value, std::span<const unit> units) {
  for (auto& x : units)
    if (value != 0 && value % x.factor == 0)
      return std::to_string(value / x.factor).append(x.name);
  return std::string{"0"}.append(units.back().name);
}

std::optional<int64_t> read_integer(std::string_view text) {
  int64_t result = 0;
  auto* end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, result);
  if (problem != std::errc{} || rest != end)
    return std::nullopt;
  return result;
}

std::string_view without_quotes(std::string_view text) {
  auto quoted = text.size() >= 2 && text.front() == text.back()
                && (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

bool is_choice(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    auto space = words.find(' ');
    if (words.substr(0, space) == word)
      return true;
    words.remove_prefix(space == words.npos ? words.size() : space + 1);
  }
  return false;
}

/// The text of a string or word, or nullptr.
const std::string* if_text(const raw_value& value) {
  if (auto* word = std::get_if<config_word>(&value))
    return &word->text;
  return std::get_if<std::string>(&value);
}

/// The value as the number that `key` stores, or nothing if it is of another
/// type.
std::optional<int64_t> if_number(const config_key& key,
                                 const raw_value& value) {
  auto* number = std::get_if<int64_t>(&value);
  if (key.kind == key_kind::time) {
    auto* time = std::get_if<nanoseconds>(&value);
    return time ? std::optional{time->count()} : std::nullopt;
  }
  if (number)
    return *number;
  if (auto* text = std::get_if<std::string>(&value);
      text && key.kind == key_kind::bytes)
    return read_with_unit(*text, byte_units);
  return std::nullopt;
}

void store(const config_slot& slot, int64_t value) {
  std::visit(
      [value](auto* target) {
        using target_type = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<target_type, duration>)
          *target = std::chrono::duration_cast<duration>(nanoseconds{value});
        else if constexpr (std::is_integral_v<target_type>)
          *target = static_cast<target_type>(value);
      },
      slot);
}

int64_t stored_number(const config_slot& slot) {
  return std::visit(
      [](auto* source) -> int64_t {
        using source_type = std::remove_pointer_t<decltype(source)>;
        if constexpr (std::is_same_v<source_type, duration>)
          return std::chrono::duration_cast<nanoseconds>(*source).count();
        else if constexpr (std::is_integral_v<source_type>)
          return static_cast<int64_t>(*source);
        else
          return 0;
      },
      slot);
}

/// Number of single-character edits between two names (Levenshtein's
/// distance by the row-by-row method of Wagner and Fischer).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string quoted_words(std::string_view words) {
  std::string result = "'";
  for (char c : words)
    c == ' ' ? result += "', '" : result += c;
  return result += "'";
}

} // namespace

const config_key* find_key(std::string_view name) {
  auto keys = config_keys();
  auto i = std::find_if(keys.begin(), keys.end(),
                        [name](auto& key) { return key.name == name; });
  return i == keys.end() ? nullptr : &*i;
}

std::optional<std::string_view> nearest_key(std::string_view name) {
  // A long foreign name would make the comparison slow for nothing.
  if (name.size() > 64)
    return std::nullopt;
  auto keys = config_keys();
  auto last_part = [](std::string_view x) {
    return x.substr(x.rfind('.') + 1);
  };
  std::optional<std::string_view> result;
  auto best = std::max<size_t>(2, name.size() / 4) + 1;
  for (auto& key : keys) {
    auto edits = distance(name, key.name);
    // The right key in the wrong section is as good as a slip of the finger.
    if (last_part(name) == last_part(key.name))
      edits = std::min<size_t>(edits, 2);
    if (edits < best) {
      best = edits;
      result = key.name;
    }
  }
  return result;
}

raw_value read_value(const config_key& key, std::string_view text) {
  auto plain = std::string{without_quotes(text)};
  switch (key.kind) {
  case key_kind::text:
    return plain;
  case key_kind::word:
    return config_word{plain};
  case key_kind::flag:
    if (text == "true" || text == "false")
      return text == "true";
    return plain;
  case key_kind::time:
    if (auto time = read_with_unit(text, time_units))
      return nanoseconds{*time};
    break;
  default:
    break;
  }
  if (auto number = read_integer(text))
    return *number;
  return plain;
}

std::optional<std::string> assign(const config_key& key, const raw_value& value,
                                  node_config& config) {
  auto slot = key.slot(config);
  auto refuse = [&] {
    return "is not " + allowed(key);
  };
  if (key.kind == key_kind::flag) {
    auto* flag = std::get_if<bool>(&value);
    if (!flag)
      return refuse();
    *std::get<bool*>(slot) = *flag;
    return std::nullopt;
  }
  if (key.kind == key_kind::text || key.kind == key_kind::word) {
    auto* text = if_text(value);
    auto is_word = key.kind == key_kind::word;
    if (!text || (is_word && !is_choice(key.words, *text)))
      return refuse();
    auto size = static_cast<int64_t>(text->size());
    if (!is_word
        && (size < key.min || size > key.max
            || (key.is_valid && !key.is_valid(*text))))
      return refuse();
    *std::get<std::string*>(slot) = *text;
    return std::nullopt;
  }
  auto number = if_number(key, value);
  if (!number || *number < key.min || *number > key.max)
    return refuse();
  store(slot, *number);
  return std::nullopt;
}

std::string render_value(const config_key& key, const node_config& config) {
  // The slot only reads here; the table hands out one kind of pointer.
  auto slot = key.slot(const_cast<node_config&>(config));
  switch (key.kind) {
  case key_kind::flag:
    return *std::get<bool*>(slot) ? "true" : "false";
  case key_kind::word:
    return "'" + *std::get<std::string*>(slot) + "'";
  case key_kind::text: {
    std::string result = "\"";
    for (char c : *std::get<std::string*>(slot)) {
      if (c == '"' || c == '\\')
        result += '\\';
      result += c;
    }
    return result += "\"";
  }
  case key_kind::bytes:
    return "\"" + with_unit(stored_number(slot), byte_units) + "\"";
  case key_kind::time:
    return with_unit(stored_number(slot), time_units);
  default:
    return std::to_string(stored_number(slot));
  }
}

std::string allowed(const config_key& key) {
  auto range = [&](std::span<const unit> units) {
    return with_unit(key.min, units) + " to " + with_unit(key.max, units);
  };
  switch (key.kind) {
  case key_kind::flag:
    return "true or false";
  case key_kind::word:
    return "one of " + quoted_words(key.words);
  case key_kind::text: {
    auto result = "a text in double quotes, " + std::to_string(key.min) + " to "
                  + std::to_string(key.max) + " bytes";
    if (!key.valid_form.empty())
      result.append(" ").append(key.valid_form);
    return result;
  }
  case key_kind::bytes:
    return "a size such as \"16MiB\", " + range(byte_units);
  case key_kind::time:
    return "a time with its unit such as 500ms, " + range(time_units);
  default:
    return "a whole number, " + std::to_string(key.min) + " to "
           + std::to_string(key.max);
  }
}

} // namespace fantail
