// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"
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
  bool is_ready() const;

  /// kill -9.
  void kill();
  /// SIGTERM, and kill -9 if that does not help.
  void stop();

  /// How it ended, if it did so by itself; told once.
  std::optional<std::string> take_end() { return process_.take_end(); }
  bool is_running() const noexcept { return process_.is_running(); }

  /// With the token the node has made, as soon as there is one.
  const admin_client& api();

  /// A supervisor that gave up.
  struct surrender {
    std::string supervisor;
    std::string cause;
  };

  /// Those the log tells of, each once.
  std::vector<surrender> take_surrenders();

  /// What the process takes; nothing while none runs.
  std::optional<usage_seen> usage() const;

  /// The sum of all lines of /metrics whose name is `name`.
  std::optional<uint64_t> metric_sum(const std::string& name) const;

  /// The end of its log.
  std::string last_words() const;

  /// Copies the log of all its lives; false if that fails.
  bool keep_log(const std::string& path) const;

private:
  std::string log_path() const { return options_.directory + "/node.log"; }
  std::string state_directory() const { return options_.directory + "/node"; }

  node_options options_;
  uint16_t port_;
  admin_client api_;
  server_process process_;
  /// How much of the log was looked at.
  std::streamoff log_read_ = 0;
};

} // namespace fantail::chaos
