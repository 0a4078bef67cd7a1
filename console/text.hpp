// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text as a terminal shows it. Everything here takes UTF-8, whole or broken,
/// and is safe to call with what strangers wrote.
namespace fantail::console {

/// Columns `text` takes: 0 for a combining mark, 2 for a wide character, 1 for
/// everything else. Control characters are not expected; see printable().
size_t width_of(std::string_view text);

/// `text` without anything that a terminal would obey: control characters,
/// escape sequences and marks that turn the direction of writing become
/// visible (`\n`, `\x1b`), broken UTF-8 likewise. Names and samples come from
/// strangers.
std::string printable(std::string_view text);

/// At most `width` columns of `text`; what was cut off becomes an ellipsis.
std::string shorten(std::string_view text, size_t width);

/// `text` and as many spaces as `width` columns need, before or behind it.
std::string pad_right(std::string_view text, size_t width);
std::string pad_left(std::string_view text, size_t width);

/// Replaces the few characters beyond ASCII that the console itself draws
/// with by ones of the same width, for terminals that have no UTF-8.
std::string to_ascii(std::string_view text);

/// The lines of `text` in `width` columns, broken at spaces; 0 = never broken.
std::string wrap(std::string_view text, size_t width, size_t indent);

} // namespace fantail::console
