// SPDX-License-Identifier: MIT
#include "console/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

namespace fantail::console {

namespace {

constexpr uint32_t broken = 0xffffffff;

/// Takes the first character off `text`; `broken` stands for one byte that
/// begins none.
uint32_t take_character(std::string_view& text) {
  auto first = static_cast<unsigned char>(text.front());
  size_t length = first < 0x80              ? 1
                  : (first >> 5) == 0b110   ? 2
                  : (first >> 4) == 0b1110  ? 3
                  : (first >> 3) == 0b11110 ? 4
                                            : 0;
  constexpr std::array<uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  auto result = length == 1 ? first : first & (0x7fu >> length);
  if (length == 0 || text.size() < length) {
    text.remove_prefix(1);
    return broken;
  }
  for (size_t i = 1; i < length; ++i) {
    auto next = static_cast<unsigned char>(text[i]);
    if ((next >> 6) != 0b10) {
      text.remove_prefix(1);
      return broken;
    }
    result = result << 6 | (next & 0x3fu);
  }
  auto is_surrogate = result >= 0xd800 && result < 0xe000;
  if (result < smallest[length] || result > 0x10ffff || is_surrogate) {
    text.remove_prefix(1);
    return broken;
  }
  text.remove_prefix(length);
  return result;
}

struct range {
  uint32_t first;
  uint32_t last;
};

bool is_in(uint32_t x, const range* begin, const range* end) {
  auto i = std::lower_bound(
      begin, end, x, [](const range& a, uint32_t b) { return a.last < b; });
  return i != end && i->first <= x;
}

// The blocks that matter in names and messages, not all of Unicode.
constexpr range marks[]
    = {{0x0300, 0x036f}, {0x0483, 0x0489},  {0x0591, 0x05bd}, {0x0610, 0x061a},
       {0x064b, 0x065f}, {0x0900, 0x0902},  {0x093c, 0x093c}, {0x0941, 0x0948},
       {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},  {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},
       {0x1dc0, 0x1dff}, {0x200b, 0x200d},  {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
       {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
constexpr range wide[]
    = {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},
       {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},
       {0x26a1, 0x26a1},   {0x26bd, 0x26be},   {0x2705, 0x2705},
       {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2753, 0x2755},
       {0x2795, 0x2797},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},
       {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
       {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
       {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
       {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f19a},
       {0x1f200, 0x1f320}, {0x1f32d, 0x1f393}, {0x1f3a0, 0x1f3f0},
       {0x1f400, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
       {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};

size_t columns_of(uint32_t x) {
  if (x == broken)
    return 1;
  if (is_in(x, std::begin(marks), std::end(marks)))
    return 0;
  return is_in(x, std::begin(wide), std::end(wide)) ? 2 : 1;
}

/// What a terminal might obey instead of showing it.
bool is_obeyed(uint32_t x) {
  auto is_control = x < 0x20 || (x >= 0x7f && x < 0xa0);
  auto is_direction = (x >= 0x200e && x <= 0x200f)
                      || (x >= 0x2028 && x <= 0x202e)
                      || (x >= 0x2066 && x <= 0x2069) || x == 0xfeff;
  return is_control || is_direction;
}

std::string escaped(std::string_view bytes) {
  constexpr auto digits = "0123456789abcdef";
  std::string result;
  for (auto c : bytes) {
    if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\r')
      result += "\\r";
    else {
      auto code = static_cast<unsigned char>(c);
      result += "\\x";
      result += digits[code >> 4];
      result += digits[code & 15];
    }
  }
  return result;
}

constexpr std::pair<std::string_view, char> drawn[]
    = {{"├", '|'}, {"└", '`'}, {"│", '|'}, {"─", '-'}, {"…", '~'},
       {"µ", 'u'}, {"·", '-'}, {"→", '>'}, {"●", '*'}, {"×", 'x'},
       {"—", '-'}, {"█", '#'}, {"░", '.'}, {"▁", '_'}, {"▂", '_'},
       {"▃", '-'}, {"▄", '-'}, {"▅", '='}, {"▆", '='}, {"▇", '#'}};

} // namespace

size_t width_of(std::string_view text) {
  size_t result = 0;
  while (!text.empty())
    result += columns_of(take_character(text));
  return result;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    auto before = text;
    auto x = take_character(text);
    auto bytes = before.substr(0, before.size() - text.size());
    result += x == broken || is_obeyed(x) ? escaped(bytes) : std::string{bytes};
  }
  return result;
}

std::string shorten(std::string_view text, size_t width) {
  if (width_of(text) <= width)
    return std::string{text};
  if (width == 0)
    return {};
  auto rest = text;
  size_t used = 0;
  auto end = text.size();
  while (!rest.empty()) {
    auto at = text.size() - rest.size();
    used += columns_of(take_character(rest));
    if (used > width - 1) {
      end = at;
      break;
    }
  }
  return std::string{text.substr(0, end)} + "…";
}

std::string pad_right(std::string_view text, size_t width) {
  auto used = width_of(text);
  return std::string{text} + std::string(width > used ? width - used : 0, ' ');
}

std::string pad_left(std::string_view text, size_t width) {
  auto used = width_of(text);
  return std::string(width > used ? width - used : 0, ' ') + std::string{text};
}

std::string to_ascii(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    auto* i = std::find_if(std::begin(drawn), std::end(drawn),
                           [&](auto& x) { return text.starts_with(x.first); });
    if (i != std::end(drawn)) {
      result += i->second;
      text.remove_prefix(i->first.size());
      continue;
    }
    auto before = text;
    auto x = take_character(text);
    if (x < 0x80)
      result += before.front();
    else
      result.append(columns_of(x), '?');
  }
  return result;
}

std::string wrap(std::string_view text, size_t width, size_t indent) {
  std::string result;
  size_t used = 0;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto columns = width_of(word);
    if (used > 0 && width > 0 && used + 1 + columns > width) {
      result += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += columns;
  }
  return result;
}

} // namespace fantail::console
