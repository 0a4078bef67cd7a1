// SPDX-License-Identifier: MIT
#include "console/paint.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

const char* sequence_of(tone x) {
  switch (x) {
  case tone::plain:
    return "";
  case tone::quiet:
    return "\033[2m";
  case tone::strong:
    return "\033[1m";
  case tone::name:
    return "\033[36m";
  case tone::good:
    return "\033[32m";
  case tone::warning:
    return "\033[33m";
  case tone::bad:
    return "\033[1;31m";
  }
  return "";
}

} // namespace

std::string paint(std::string_view text, tone is, const look& how) {
  if (!how.has_colours || is == tone::plain || text.empty())
    return std::string{text};
  return sequence_of(is) + std::string{text} + "\033[0m";
}

void page::add_text(std::string_view text) {
  for (;;) {
    auto end = std::min(text.find('\n'), text.size());
    add(std::string{text.substr(0, end)});
    if (end == text.size())
      return;
    text.remove_prefix(end + 1);
  }
}

std::string heading(std::string_view title, std::string_view about,
                    const look& how) {
  auto result = paint(title, tone::strong, how);
  if (!about.empty())
    result += "  " + paint(about, tone::quiet, how);
  return result;
}

} // namespace fantail::console
