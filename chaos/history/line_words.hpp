// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

/// The words of the line format for the enumerations of record.hpp, in the
/// order of their values.
namespace fantail::chaos {

inline constexpr std::array<std::string_view, 5> call_words{
    "online", "offline", "set", "join", "leave"};
inline constexpr std::array<std::string_view, 3> outcome_words{
    "done", "rejected", "unknown"};
inline constexpr std::array<std::string_view, 3> phase_words{"on", "off",
                                                             "skipped"};
inline constexpr std::array<std::string_view, 3> counter_words{
    "events", "users", "sessions"};
inline constexpr std::array<std::string_view, 2> format_words{"single",
                                                              "frame"};

template <class Enum, size_t N>
std::string_view word_of(const std::array<std::string_view, N>& words, Enum x) {
  return words[static_cast<size_t>(x)];
}

} // namespace fantail::chaos
