// SPDX-License-Identifier: MIT
#pragma once

#include "console/session.hpp"

#include <optional>
#include <string>
#include <variant>

namespace fantail::console {

/// What a command line or the environment says about the node and the token.
struct connection_options {
  /// Empty: the variable FANTAIL_URL, else the default.
  std::string url;
  /// Empty: the variable FANTAIL_TOKEN, else the file the node keeps in the
  /// default state directory, if there is one.
  std::string token_file;
  bool as_json = false;
  double timeout_seconds = 5;
};

/// Where a node that is started with defaults keeps its token.
inline constexpr const char* default_token_file = "fantail-state/admin.token";

/// Puts it all together, or says what is wrong with it.
std::variant<settings, problem> make_settings(const connection_options& from);

/// Runs one command: pages and streams go to stdout, troubles to stderr.
/// Returns the exit code.
int run_command(const session& node, const invocation& x, const look& how);

/// The same for a command of the shell, from start to end.
int run_once(const connection_options& from, const invocation& x);

/// The interactive console, or the commands of stdin one after the other if
/// that is no terminal; these end at the first one that fails.
int run_console(const connection_options& from);

/// Says on stderr what went wrong; returns its exit code. An interrupt is the
/// user's own doing and goes without saying.
int report(const problem& x);

} // namespace fantail::console
