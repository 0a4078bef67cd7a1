// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fantail::console {

enum class key_name {
  character,
  enter,
  escape,
  backspace,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  other,
};

struct key {
  key_name name = key_name::other;
  /// Of a character; others are 0.
  char character = 0;

  bool operator==(const key&) const = default;
};

/// Takes the first key off what a terminal sent. Nothing if that is only the
/// beginning of one; `is_all` says that nothing follows, so that a lone escape
/// is the key of that name.
std::optional<key> take_key(std::string& bytes, bool is_all);

} // namespace fantail::console
