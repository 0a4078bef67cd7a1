// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// A child process that cannot outlive us: the kernel kills it when the thread
/// that started it ends, whatever ends it (prctl(2), PR_SET_PDEATHSIG). So one
/// thread starts it, and stays for as long as the child shall live. It leads a
/// process group of its own, so that Ctrl-C in a terminal does not reach it.
/// Not thread safe.
class server_process {
public:
  server_process() = default;
  /// Kills the process if it still runs.
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Runs `arguments[0]`, a path, with everything it writes appended to
  /// `log_path`. The child keeps `inherited_file` open, if that is not -1, and
  /// no other file of ours. Returns what is wrong.
  std::optional<std::string> start(const std::vector<std::string>& arguments,
                                   const std::string& log_path,
                                   int inherited_file);

  /// The process id, if anything runs. Never a number that kill(2) would take
  /// for a group or for everybody.
  std::optional<pid_t> pid() const noexcept { return pid_; }
  bool is_running() const noexcept { return pid_.has_value(); }

  /// How the process ended ("was killed by signal 9"), told once; nothing
  /// while it runs.
  std::optional<std::string> take_end();

  /// Sends a signal to the process and its group.
  void signal(int number) noexcept;

  /// SIGTERM, and SIGKILL if that did not help within `patience`. Waits for
  /// the end.
  void stop(duration patience);

private:
  std::optional<pid_t> pid_;
};

} // namespace fantail
