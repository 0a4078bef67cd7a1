// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench.hpp"
#include "bench/demo/demo.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace fantail {

/// Exit codes of the program, listed in docs/OPERATIONS.md.
enum exit_code : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_configuration = 3,
};

/// What the chosen command runs; set by the parser.
using command = std::function<int()>;

/// Where a command's configuration comes from.
struct config_source {
  /// Empty: ./caf-application.conf if it exists, else the defaults.
  std::string file;
  /// `key=value`, in order.
  std::vector<std::string> overrides;
};

/// Set by SIGINT and SIGTERM: finish what you do and end.
const std::atomic<bool>& stop_requested();
void stop_on_signals();

int command_node(const config_source& source);
int command_config_check(const config_source& source);
int command_config_show(const config_source& source, bool as_table);
int command_version(bool as_json);

/// Starts a node of its own unless the options name a running one.
int command_demo(demo_options options, const config_source& source,
                 bool is_own_node);

} // namespace fantail
