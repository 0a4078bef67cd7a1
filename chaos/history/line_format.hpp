// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <optional>
#include <string>
#include <string_view>

/// A history as text: one JSON object per line, the head first, then records
/// in the order of their times (`t`, ns of CLOCK_MONOTONIC; `k` names the
/// kind). docs/OPERATIONS.md lists the kinds.
namespace fantail::chaos {

/// Version of the format; a reader refuses others.
inline constexpr int history_format = 1;

/// Appends the line of `x` with its line break.
void append_line(std::string& to, const history_head& x);
void append_line(std::string& to, const timed_record& x);

/// Reads a line without its break. Nothing, and what is wrong in `why`, if it
/// is not one.
std::optional<history_head> parse_head(std::string_view line, std::string& why);
std::optional<timed_record> parse_record(std::string_view line,
                                         std::string& why);

} // namespace fantail::chaos
