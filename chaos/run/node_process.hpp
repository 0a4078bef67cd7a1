// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/run/admin_client.hpp"
#include "runtime/boot/server_process.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fantail::chaos {

struct node_options {
  /// The executable of Fantail.
  std::string program;
  /// Empty but for what earlier lives of the node have left there.
  std::string directory;
  std::string nats_url;
  /// Further settings, each `key=value`.
  std::vector<std::string> settings;
};

/// The node under test, a process of its own. Belongs to the thread that
/// starts it, and cannot outlive it.
class node_process {
public:
  explicit node_process(node_options options);

  /// Runs it, again after a kill. Returns what is wrong.
  std::optional<std::string> start();
  bool wait_ready(duration timeout);
  bool is_ready() const;

  /// kill -9.
  void kill();
  /// SIGTERM, and kill -9 if that does not help.
  void stop();

  /// How it ended, if it did so by itself; told once.
  std::optional<std::string> take_end() { return process_.take_end(); }
  bool is_running() const noexcept { return process_.is_running(); }

  admin_client& api() noexcept { return api_; }
  const admin_client& api() const noexcept { return api_; }

  /// The value of a line of /metrics; `series` is the name with its labels.
  std::optional<double> metric(const std::string& series) const;

  std::string log_path() const { return options_.directory + "/node.log"; }
  std::string last_words() const;

private:
  node_options options_;
  uint16_t port_;
  admin_client api_;
  server_process process_;
};

} // namespace fantail::chaos
