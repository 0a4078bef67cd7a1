// SPDX-License-Identifier: MIT
#pragma once

#include "console/run.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace fantail {

/// What the parser fills in for the commands that talk to a node; outlives it.
struct console_words {
  console::connection_options from;
  std::string timeout = "5s";

  struct command {
    std::deque<std::string> arguments;
    std::map<std::string, std::string> options;
    std::map<std::string, bool> flags;
  };
  std::deque<command> commands;
};

/// Adds `console`, and every command of its palette, to the command line.
void add_console_commands(CLI::App& app, console_words& words,
                          std::function<int()>& chosen);

} // namespace fantail
