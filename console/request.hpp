// SPDX-License-Identifier: MIT
#pragma once

#include "console/palette.hpp"

#include <string>

namespace fantail::console {

/// What a command asks of the node: path and query, the words encoded. For
/// commands that ask several things, the first one.
std::string target_of(const invocation& x);

/// Exit codes of the commands that talk to a node.
enum console_exit : int {
  console_ok = 0,
  /// The node answered with an error.
  console_error = 1,
  /// The command line was not understood, or a confirmation is missing.
  console_usage = 2,
  /// Nobody answers at the address, or no longer.
  console_unreachable = 3,
  /// The node wants a token, or another one.
  console_refused = 4,
};

/// What they mean, for --help.
std::string exit_codes_help();

} // namespace fantail::console
