// SPDX-License-Identifier: MIT
#include "console/palette.hpp"

#include "console/format.hpp"
#include "console/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace fantail::console {

namespace {

constexpr size_t typo_distance_max = 2;

/// Insertions, deletions and replacements that make `a` out of `b`.
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
  return row.back();
}

std::string join(const std::vector<std::string_view>& words) {
  std::string result;
  for (auto x : words) {
    result += result.empty() ? "" : ", ";
    result += x;
  }
  return result;
}

std::string unknown_command(const std::string& word) {
  auto result = "there is no command \"" + printable(word) + "\"";
  const command_spec* nearest = nullptr;
  auto best = typo_distance_max + 1;
  for (auto& x : palette())
    if (auto d = distance(word, x.name.substr(0, x.name.find(' '))); d < best) {
      best = d;
      nearest = &x;
    }
  if (nearest)
    return result + "; did you mean \"" + std::string{nearest->name} + "\"?";
  return result + "; \"help\" lists them";
}

const option_spec* find_option(const command_spec& of, std::string_view name) {
  for (auto& x : of.options)
    if (x.name == name)
      return &x;
  return nullptr;
}

/// Takes one `--name`, `--name=value` or `--name value`; says what is wrong.
std::string take_option(std::span<const std::string> words, size_t& at,
                        invocation& to) {
  std::string_view word{words[at]};
  word.remove_prefix(2);
  auto equals = std::min(word.find('='), word.size());
  auto name = word.substr(0, equals);
  auto* spec = find_option(*to.what, name);
  if (!spec)
    return "\"" + std::string{to.what->name} + "\" has no option --"
           + printable(name) + "; usage: " + usage_of(*to.what);
  if (spec->value.empty()) {
    if (equals < word.size())
      return "--" + std::string{name} + " takes no value";
    to.options[std::string{name}] = "true";
    return {};
  }
  if (equals < word.size()) {
    to.options[std::string{name}] = std::string{word.substr(equals + 1)};
    return {};
  }
  if (at + 1 == words.size())
    return "--" + std::string{name} + " needs a value: --" + std::string{name}
           + "=" + std::string{spec->value};
  to.options[std::string{name}] = words[++at];
  return {};
}

std::string check_choice(const std::vector<std::string_view>& choices,
                         const std::string& value, const std::string& what) {
  if (choices.empty()
      || std::find(choices.begin(), choices.end(), value) != choices.end())
    return {};
  return what + " is one of " + join(choices) + ", not \"" + printable(value)
         + "\"";
}

/// Bounds of the options that are figures.
std::string check_figure(const command_spec& of, const std::string& name,
                         const std::string& value) {
  auto shown = "\"" + printable(value) + "\"";
  if (name == "limit" && !parse_whole(value, 1, 1000))
    return "--limit is a whole number from 1 to 1000, not " + shown;
  if (name == "since" && !parse_whole(value, 0, INT64_MAX))
    return "--since is the id of an event, a whole number, not " + shown;
  auto within = [&](double least, double most) {
    auto seconds = parse_seconds(value);
    return seconds && *seconds >= least && *seconds <= most;
  };
  if (name == "window" && !within(1, 60))
    return "--window is a time from 1s to 60s, not " + shown;
  if (name != "for")
    return {};
  if (of.name == "kill")
    return within(0.001, 60)
               ? ""
               : "--for is a time from 1ms to 1m, such as 500ms, not " + shown;
  auto most = of.name == "trace" ? 300.0 : 86400.0;
  return within(1, most) ? ""
                         : "--for is a time from 1s to " + show_seconds(most)
                               + ", such as 30s, not " + shown;
}

} // namespace

const command_spec* find_command(std::string_view name) {
  for (auto& x : palette())
    if (x.name == name)
      return &x;
  return nullptr;
}

std::string invocation::argument(size_t index) const {
  return index < arguments.size() ? arguments[index] : std::string{};
}

std::string invocation::option(std::string_view name,
                               std::string fallback) const {
  auto i = options.find(name);
  return i == options.end() ? std::move(fallback) : i->second;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> result;
  std::string word;
  bool is_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    auto c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      is_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      is_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (is_word)
        result.push_back(std::exchange(word, {}));
      is_word = false;
    } else {
      word += c;
      is_word = true;
    }
  }
  if (is_word)
    result.push_back(std::move(word));
  return result;
}

std::string quote_word(std::string_view word) {
  if (!word.empty() && word.find_first_of(" \t\"'\\") == word.npos)
    return std::string{word};
  std::string result = "\"";
  for (auto c : word) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string check(const invocation& x) {
  auto& spec = *x.what;
  for (auto& [name, value] : x.options) {
    auto* option = find_option(spec, name);
    if (option)
      if (auto problem = check_choice(option->choices, value, "--" + name);
          !problem.empty())
        return problem;
    if (auto problem = check_figure(spec, name, value); !problem.empty())
      return problem;
  }
  for (size_t i = 0; i < spec.arguments.size(); ++i) {
    auto& argument = spec.arguments[i];
    auto name = std::string{argument.name};
    if (i >= x.arguments.size()) {
      if (!argument.is_optional)
        return name + " is missing; usage: " + usage_of(spec);
      continue;
    }
    if (x.arguments[i].empty())
      return name + " is empty";
    if (auto problem = check_choice(argument.choices, x.arguments[i], name);
        !problem.empty())
      return problem;
  }
  if (x.has("for") && spec.name == "kill" && x.option("mode") != "hang")
    return "--for belongs to --mode=hang";
  return {};
}

std::variant<invocation, std::string>
parse_command(std::span<const std::string> words) {
  if (words.empty())
    return std::string{"a command is missing; \"help\" lists them"};
  invocation result;
  size_t at = 0;
  if (words.size() > 1)
    result.what = find_command(words[0] + " " + words[1]);
  at = result.what ? 2 : 1;
  if (!result.what)
    result.what = find_command(words[0]);
  if (!result.what) {
    // "users" alone: say what may follow.
    for (auto& x : palette())
      if (x.name.starts_with(words[0] + " "))
        return "usage: " + usage_of(x);
    return unknown_command(words[0]);
  }
  // What "watch" is followed by is a command with options of its own.
  auto takes_all = result.what->name == "watch" || result.what->name == "help";
  for (; at < words.size(); ++at) {
    if (words[at].starts_with("--") && !takes_all) {
      if (auto problem = take_option(words, at, result); !problem.empty())
        return problem;
      continue;
    }
    if (result.arguments.size() == result.what->arguments.size() && !takes_all)
      return "\"" + printable(words[at])
             + "\" is one word too many; usage: " + usage_of(*result.what);
    result.arguments.push_back(words[at]);
  }
  if (auto problem = check(result); !problem.empty())
    return problem;
  return result;
}

std::string usage_of(const command_spec& x) {
  std::string result{x.name};
  for (auto& a : x.arguments) {
    std::string shown{a.choices.empty() ? a.name : std::string_view{}};
    for (auto c : a.choices)
      shown += (shown.empty() ? "" : "|") + std::string{c};
    result += a.is_optional ? " [" + shown + "]" : " " + shown;
  }
  for (auto& o : x.options) {
    result += " [--" + std::string{o.name};
    if (!o.value.empty())
      result += "=" + std::string{o.value};
    result += "]";
  }
  return result;
}

} // namespace fantail::console
