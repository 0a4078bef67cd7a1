// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fantail::console {

/// One actor that failed, hung or was told to end, from its end to its return.
struct incident {
  std::string actor;
  /// "failed", "hung" or "ended".
  std::string what;
  std::string why;
  /// How an operator made it end; empty if it did so by itself.
  std::string killed_by;
  int64_t began_unix_ns = 0;
  /// -1: it is not over, as far as the events tell.
  int64_t ended_unix_ns = -1;
};

/// Puts together what belongs together in events of the API, which are in the
/// order of their ids. Oldest first. Pure.
std::vector<incident> incidents_of(const json::array& events);

page show_incidents(const std::vector<incident>& incidents, const look& how);

} // namespace fantail::console
