// SPDX-License-Identifier: MIT
#include "console/keys.hpp"

#include <utility>

namespace fantail::console {

namespace {

constexpr std::pair<std::string_view, key_name> sequences[]
    = {{"\033[A", key_name::up},       {"\033[B", key_name::down},
       {"\033OA", key_name::up},       {"\033OB", key_name::down},
       {"\033[5~", key_name::page_up}, {"\033[6~", key_name::page_down},
       {"\033[H", key_name::home},     {"\033[F", key_name::end},
       {"\033[1~", key_name::home},    {"\033[4~", key_name::end}};

/// Length of the escape sequence `bytes` begins with; 0 if it is not whole.
size_t sequence_length(std::string_view bytes) {
  if (bytes.size() < 2)
    return 0;
  if (bytes[1] == 'O')
    return bytes.size() < 3 ? 0 : 3;
  if (bytes[1] != '[')
    return 2;
  for (size_t i = 2; i < bytes.size(); ++i)
    if (bytes[i] >= 0x40 && bytes[i] <= 0x7e)
      return i + 1;
  return 0;
}

} // namespace

std::optional<key> take_key(std::string& bytes, bool is_all) {
  if (bytes.empty())
    return std::nullopt;
  auto c = bytes.front();
  if (c != '\033') {
    bytes.erase(0, 1);
    if (c == '\r' || c == '\n')
      return key{key_name::enter};
    if (c == 0x7f || c == '\b')
      return key{key_name::backspace};
    if (c >= 0x20 && c < 0x7f)
      return key{key_name::character, c};
    return key{};
  }
  auto length = sequence_length(bytes);
  if (length == 0) {
    if (!is_all)
      return std::nullopt;
    bytes.clear();
    return key{key_name::escape};
  }
  for (auto& [sequence, name] : sequences)
    if (std::string_view{bytes}.substr(0, length) == sequence) {
      bytes.erase(0, length);
      return key{name};
    }
  bytes.erase(0, length);
  return key{};
}

} // namespace fantail::console
