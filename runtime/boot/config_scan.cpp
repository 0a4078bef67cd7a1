// SPDX-License-Identifier: MIT
#include "runtime/boot/config_scan.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace fantail {

namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// Walks over a file once, remembering where it is. It knows just enough of
/// the grammar to tell keys, sections, texts and comments from each other;
/// everything else is CAF's business.
class scanner {
public:
  explicit scanner(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    while (at_ < text_.size())
      if (auto problem = step())
        return "line " + std::to_string(line_) + ": " + *problem;
    if (!open_.empty())
      return "line " + std::to_string(open_.back().line) + ": the brace of "
             + open_.back().path + " is never closed";
    return std::nullopt;
  }

private:
  struct section {
    std::string path;
    size_t line;
  };

  std::optional<std::string> step() {
    char c = text_[at_];
    switch (c) {
    case '\n':
      ++line_;
      ++at_;
      return std::nullopt;
    case '\r':
      return "Windows line ends; CAF's grammar wants plain ones";
    case '#':
      return "comments begin with a semicolon, not with #";
    case ';':
      at_ = std::min(text_.find('\n', at_), text_.size());
      return std::nullopt;
    case '"':
    case '\'':
      skip_quoted(c);
      return std::nullopt;
    case '[':
      take_header();
      return std::nullopt;
    case '}':
      ++at_;
      if (!open_.empty())
        open_.pop_back();
      return std::nullopt;
    default:
      if (is_name_char(c))
        return take_name();
      ++at_;
      return std::nullopt;
    }
  }

  void skip_quoted(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == quote)
        break;
    }
    // A line break is left to the caller, who counts them.
    if (at_ < text_.size() && text_[at_] != '\n')
      ++at_;
    at_ = std::min(at_, text_.size());
  }

  /// `[section]` at the start of a line; a list is of no interest.
  void take_header() {
    auto line_start = text_.rfind('\n', at_);
    line_start = line_start == text_.npos ? 0 : line_start + 1;
    auto before = text_.substr(line_start, at_ - line_start);
    auto close = text_.find_first_of("]\n", at_);
    ++at_;
    if (!open_.empty() || before.find_first_not_of(" \t") != before.npos
        || close == text_.npos || text_[close] == '\n')
      return;
    header_ = text_.substr(at_, close - at_);
    at_ = close + 1;
  }

  /// A name that `=` or `{` follows is a key; others are values.
  std::optional<std::string> take_name() {
    auto start = at_;
    while (at_ < text_.size() && is_name_char(text_[at_]))
      ++at_;
    auto name = std::string{text_.substr(start, at_ - start)};
    auto next = text_.find_first_not_of(" \t", at_);
    auto is_key = next != text_.npos && text_[next] == '=';
    auto after = is_key ? text_.find_first_not_of(" \t", next + 1) : next;
    auto is_section = after != text_.npos && text_[after] == '{';
    if (!is_key && !is_section)
      return std::nullopt;
    at_ = is_section ? after + 1 : next + 1;
    if (name.find('.') != name.npos)
      return "write section { key=value } instead of the dotted key " + name;
    auto path = prefix() + name;
    if (!seen_.insert(path).second)
      return path + " is given a second time";
    if (is_section)
      open_.push_back({path, line_});
    return std::nullopt;
  }

  std::string prefix() const {
    if (!open_.empty())
      return open_.back().path + ".";
    return header_.empty() ? "" : header_ + ".";
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
  std::string header_;
  std::vector<section> open_;
  std::set<std::string> seen_;
};

} // namespace

std::optional<std::string> scan_config(std::string_view text) {
  return scanner{text}.run();
}

} // namespace fantail
