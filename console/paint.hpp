// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail::console {

/// What a text means; colours follow from it, and never the other way round.
enum class tone { plain, quiet, strong, name, good, warning, bad };

/// How pages are drawn.
struct look {
  bool has_colours = false;
  /// Without UTF-8, lines are drawn with ASCII.
  bool is_ascii = false;
  /// Columns of the terminal; 0 = not a terminal, nothing is cut off.
  size_t width = 0;
  /// Whether what can be opened has a number in front of it.
  bool has_numbers = false;
  /// The time ages are told at.
  int64_t now_unix_ns = 0;
};

/// A piece of text with its meaning; holds printable text only.
struct cell {
  cell() = default;
  cell(std::string x, tone y = tone::plain) : text(std::move(x)), is(y) {}
  cell(const char* x, tone y = tone::plain) : text(x), is(y) {}

  std::string text;
  tone is = tone::plain;
};

/// `text` with the escape sequences of its tone, if `how` has colours.
std::string paint(std::string_view text, tone is, const look& how);
inline std::string paint(const cell& x, const look& how) {
  return paint(x.text, x.is, how);
}

/// What a command shows: lines without line breaks, and what their numbers
/// open, as command lines: number 1 is the first.
struct page {
  std::vector<std::string> lines;
  std::vector<std::string> targets;

  void add(std::string line) { lines.push_back(std::move(line)); }
  /// Adds text with line breaks.
  void add_text(std::string_view text);
};

/// A heading that stands out, with an explanation in quiet.
std::string heading(std::string_view title, std::string_view about,
                    const look& how);

} // namespace fantail::console
