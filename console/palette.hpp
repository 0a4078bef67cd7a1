// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Every command, once: the shell's command line, the console's prompt, its
/// completion and its help are made from this table.
namespace fantail::console {

/// What a word stands for, so that it can be completed.
enum class word_kind { free, actor, instance, channel, command };

struct argument_spec {
  /// As help shows it, e.g. ID.
  std::string_view name;
  word_kind kind = word_kind::free;
  /// If not empty, nothing else is allowed.
  std::vector<std::string_view> choices = {};
  bool is_optional = false;
};

struct option_spec {
  /// Without the dashes in front.
  std::string_view name;
  /// As help shows the value; empty for a flag.
  std::string_view value;
  std::string_view about;
  /// If not empty, nothing else is allowed.
  std::vector<std::string_view> choices = {};
};

enum class command_kind {
  /// Asks and shows.
  page,
  /// Changes something at the node.
  change,
  /// Goes on until it ends or is interrupted.
  stream,
  /// Only at the console's prompt.
  prompt,
};

struct command_spec {
  /// One or two words.
  std::string_view name;
  command_kind kind = command_kind::page;
  std::string_view about;
  std::vector<argument_spec> arguments = {};
  std::vector<option_spec> options = {};
  /// Further lines of help, with examples.
  std::string_view more = {};
};

/// In the order of help.
const std::vector<command_spec>& palette();

/// The command of that name, or nullptr.
const command_spec* find_command(std::string_view name);

/// A command with its words, checked against the table.
struct invocation {
  const command_spec* what = nullptr;
  std::vector<std::string> arguments;
  /// By name; a flag has the value "true".
  std::map<std::string, std::string, std::less<>> options;

  /// The argument, or nothing if it was left out.
  std::string argument(size_t index) const;
  std::string option(std::string_view name, std::string fallback = {}) const;
  bool has(std::string_view name) const { return options.contains(name); }
};

/// The words of a line, as a shell would split it: quotes keep spaces
/// together. A quote that is not closed reaches to the end.
std::vector<std::string> split_words(std::string_view line);

/// `word` as it has to be typed for split_words() to find it again.
std::string quote_word(std::string_view word);

/// Understands `words`, or says what is wrong with them, for the user.
std::variant<invocation, std::string>
parse_command(std::span<const std::string> words);

/// Checks what a command line cannot say by itself: choices and counts.
/// Empty if all is well.
std::string check(const invocation& x);

/// One line: name, arguments and options.
std::string usage_of(const command_spec& x);

} // namespace fantail::console
