// SPDX-License-Identifier: MIT
#pragma once

#include "console/keys.hpp"
#include "console/paint.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fantail::console {

bool is_terminal(int descriptor);

/// How to draw on standard output: colours, width and lines if it is a
/// terminal that can do so (NO_COLOR, TERM, the locale), plain text otherwise.
/// Sets the locale's character type on its first call.
look look_of_output();

/// Lines of the terminal.
size_t terminal_rows();

/// Nanoseconds since 1970.
int64_t unix_now_ns();

/// Prints lines; false if nobody reads them any more.
bool print(const std::vector<std::string>& lines, const look& how);

/// Asks on the terminal; true for y or yes. Nothing else is a yes.
bool confirm(const std::string& question);

/// The alternate screen, where a view refreshes in place. However it ends, by
/// a signal too if catch_signals() was called, the terminal is as before.
class live_screen {
public:
  live_screen();
  ~live_screen();
  live_screen(const live_screen&) = delete;
  live_screen& operator=(const live_screen&) = delete;

  /// Shows lines from the top; those that do not fit are left out.
  void draw(const std::vector<std::string>& lines, const look& how);

  /// The next key, or nothing after `patience` or a signal.
  std::optional<key> wait_key(std::chrono::milliseconds patience);

private:
  struct saved_mode;
  std::unique_ptr<saved_mode> before_;
  std::string typed_;
};

} // namespace fantail::console
