// SPDX-License-Identifier: MIT
#include "core/control/control_reject.hpp"

#include <array>

namespace fantail {

namespace {

constexpr std::array<std::string_view, 17> words = {"none",
                                                    "malformed",
                                                    "wrong_type",
                                                    "missing_member",
                                                    "unknown_op",
                                                    "unknown_format",
                                                    "illegal_instance",
                                                    "too_many_instances",
                                                    "too_large",
                                                    "unknown_shard",
                                                    "unknown_instance",
                                                    "busy",
                                                    "lost",
                                                    "illegal_user",
                                                    "illegal_channel",
                                                    "too_many_watches",
                                                    "old_incarnation"};

} // namespace

std::string_view to_string(control_reject x) {
  return words[static_cast<size_t>(x)];
}

std::optional<control_reject> control_reject_from(std::string_view word) {
  // "none" is not a reason.
  for (size_t i = 1; i < words.size(); ++i)
    if (words[i] == word)
      return static_cast<control_reject>(i);
  return std::nullopt;
}

} // namespace fantail
