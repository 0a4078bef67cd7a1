// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/boot/node_config.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <variant>

namespace fantail {

/// Why a node could not start, and the exit code that says so.
struct start_failure {
  int exit_code = 1;
  std::string what;
};

/// A whole Fantail node in this process: the server it may bring along, its
/// links, its actors and its HTTP interface. Started in the order in which the
/// parts need each other and stopped in reverse.
class node {
public:
  /// Starts everything; routing begins once presence was replayed. Takes as
  /// long as the server needs to read its streams.
  static std::variant<std::unique_ptr<node>, start_failure>
  start(const node_config& config);

  /// Stops in order: reading ends, what is under way is confirmed and
  /// checkpointed, then actors, links and server end. Bounded by 10 s.
  ~node();

  /// Returns when `stop` becomes true, or, with false, when the node failed.
  bool run_until(const std::atomic<bool>& stop);

  bool is_ready() const;
  std::string nats_url() const;
  std::string http_url() const;
  std::string server_version() const;

private:
  class impl;
  explicit node(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace fantail
