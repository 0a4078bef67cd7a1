// SPDX-License-Identifier: MIT
#pragma once

#include "app/commands.hpp"
#include "chaos/chaos.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace fantail {

/// What was asked of `fantail chaos`; lives until the command has run.
struct chaos_command {
  chaos_options options;
  std::string history;
  bool as_json = false;
};

/// Declares `fantail chaos run|schedule|check`.
void add_chaos(CLI::App& app, chaos_command& to, command& chosen);

} // namespace fantail
