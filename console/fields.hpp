// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Members of the node's answers, as they are shown. A member that is absent,
/// null or of another type is not known: `-`.
namespace fantail::console {

/// The member, or null: paths of members cannot fail.
const json::value& member(const json::value& of, std::string_view key);

/// The list, or an empty one.
const json::array& list(const json::value& of, std::string_view key);

/// Safe to print.
std::string text(const json::value& of, std::string_view key);

/// -1 if not known.
double number(const json::value& of, std::string_view key);
int64_t whole(const json::value& of, std::string_view key);

cell count_cell(const json::value& of, std::string_view key);
cell bytes_cell(const json::value& of, std::string_view key);
cell rate_cell(const json::value& of, std::string_view key);
/// Of a member in nanoseconds.
cell duration_cell(const json::value& of, std::string_view key);
/// The same, with a warning from `warn_ns` on, and an alarm from `alarm_ns` on.
cell duration_cell(const json::value& of, std::string_view key, double warn_ns,
                   double alarm_ns);
cell share_cell(const json::value& of, std::string_view key);
/// How long ago a Unix time in nanoseconds was.
cell age_cell(const json::value& of, std::string_view key, const look& how);
/// A number that had better be 0.
cell fault_cell(const json::value& of, std::string_view key, tone is);

/// The state of an actor or of an instance, coloured by how bad it is.
cell state_cell(const json::value& of, std::string_view key = "state");

/// Why an actor ended, without what CAF puts around it:
/// `system_error(runtime_error, ("disk full"))` is disk full, and
/// `exit_reason(user_shutdown)` user shutdown.
std::string plain_cause(std::string cause);

/// A Unix time in nanoseconds as UTC, such as 03:04:05.678; with its date if it
/// was not within 24 h before `how.now_unix_ns`.
std::string show_time(int64_t unix_ns, const look& how);

} // namespace fantail::console
