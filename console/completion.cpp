// SPDX-License-Identifier: MIT
#include "console/completion.hpp"

#include "console/format.hpp"

#include <algorithm>
#include <set>

namespace fantail::console {

namespace {

/// The words before the last one, and the last one, which may be empty.
struct split_line {
  std::vector<std::string> words;
  std::string last;
  size_t begin = 0;
};

split_line split_before_cursor(std::string_view line) {
  split_line result;
  char quote = 0;
  result.begin = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    auto c = line[i];
    if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == ' ' || c == '\t')
      result.begin = i + 1;
  }
  result.words = split_words(line.substr(0, result.begin));
  auto last = split_words(line.substr(result.begin));
  result.last = last.empty() ? std::string{} : last.front();
  return result;
}

class completer {
public:
  completer(split_line line, const name_source& names)
      : line_(std::move(line)), names_(names) {}

  std::vector<std::string> run() {
    skip_watch();
    auto words = std::span{line_.words}.subspan(first_);
    if (words.empty()) {
      offer_commands("");
    } else if (auto* spec = command_of(words)) {
      auto used = spec->name.find(' ') == spec->name.npos ? 1u : 2u;
      complete_in(*spec, words.subspan(used));
    } else if (words.size() == 1) {
      offer_commands(words[0] + " ");
    }
    std::vector<std::string> result{found_.begin(), found_.end()};
    return result;
  }

private:
  /// What follows "watch 2" is a command like any other.
  void skip_watch() {
    if (line_.words.empty() || line_.words[0] != "watch")
      return;
    first_ = 1;
    if (line_.words.size() > 1 && parse_seconds(line_.words[1]))
      first_ = 2;
  }

  static const command_spec* command_of(std::span<const std::string> words) {
    if (words.size() > 1)
      if (auto* two = find_command(words[0] + " " + words[1]))
        return two;
    return find_command(words[0]);
  }

  void offer(std::string_view word) {
    if (word.starts_with(line_.last))
      found_.insert(quote_word(word));
  }

  /// The next word of all commands whose name begins with `before`.
  void offer_commands(const std::string& before) {
    for (auto& x : palette()) {
      if (!x.name.starts_with(before))
        continue;
      auto rest = x.name.substr(before.size());
      auto is_nested = first_ > 0 && x.kind == command_kind::prompt;
      if (!is_nested)
        offer(rest.substr(0, rest.find(' ')));
    }
  }

  void complete_in(const command_spec& spec,
                   std::span<const std::string> words) {
    if (line_.last.starts_with("--")) {
      offer_options(spec);
      return;
    }
    size_t index = 0;
    for (auto& x : words)
      index += x.starts_with("--") ? 0 : 1;
    if (index >= spec.arguments.size())
      return;
    auto& argument = spec.arguments[index];
    for (auto x : argument.choices)
      offer(x);
    if (argument.kind == word_kind::command) {
      offer_commands("");
    } else if (argument.kind != word_kind::free && names_) {
      // trace user NAME: nobody can list the users.
      auto is_trace = spec.name == "trace" && words[0] != "channel";
      if (!is_trace)
        for (auto& x : names_(argument.kind))
          offer(x);
    }
  }

  void offer_options(const command_spec& spec) {
    for (auto& option : spec.options) {
      auto name = "--" + std::string{option.name};
      auto with_value = name + "=";
      if (option.value.empty())
        offer(name);
      else if (option.choices.empty() || !line_.last.starts_with(with_value))
        offer(with_value);
      for (auto x : option.choices)
        if (line_.last.starts_with(with_value))
          offer(with_value + std::string{x});
    }
  }

  split_line line_;
  const name_source& names_;
  size_t first_ = 0;
  std::set<std::string> found_;
};

} // namespace

completion complete(std::string_view line, const name_source& names) {
  auto parts = split_before_cursor(line);
  completion result;
  result.begin = parts.begin;
  result.candidates = completer{std::move(parts), names}.run();
  return result;
}

std::string common_beginning(const std::vector<std::string>& candidates) {
  if (candidates.empty())
    return {};
  auto result = candidates.front();
  for (auto& x : candidates) {
    auto [a, b]
        = std::mismatch(result.begin(), result.end(), x.begin(), x.end());
    result.erase(a, result.end());
  }
  return result;
}

} // namespace fantail::console
