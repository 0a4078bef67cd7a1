// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "runtime/http/http_message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fantail {

struct http_server_config {
  /// An IP address or "localhost".
  std::string address = "127.0.0.1";
  /// 0 = any free one.
  uint16_t port = 0;
  /// Together 64 KiB: nothing the API is asked needs more.
  size_t header_bytes_max = 16 * 1024;
  size_t body_bytes_max = 48 * 1024;
  /// Whoever comes beyond is turned away with status 503.
  size_t connections_max = 256;
  /// Requests for routes that wait, under way or in line; beyond: status 503.
  size_t waiting_max = 8;
  /// Bounds the silence between two requests, the arrival of one request and
  /// the departure of one response.
  duration idle_timeout = std::chrono::seconds{30};
};

/// A small HTTP/1.1 server for the admin API: keep-alive, bounded in size,
/// connections and time. It has no passwords and no encryption.
///
/// One thread does all input and output and never waits, so that a slow client
/// delays nobody. Handlers run on three others: one for the routes that wait
/// for actors, one for those that take long, one for the rest. That keeps
/// /health and /metrics prompt exactly when they matter, namely while an actor
/// hangs and everything that asks it runs into its timeout.
class http_server {
public:
  /// Listens, and serves the routes from then on. Returns what is wrong, in
  /// words for the user, if it cannot.
  static std::variant<std::unique_ptr<http_server>, std::string>
  start(http_server_config config, std::vector<http_route> routes);

  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  uint16_t port() const noexcept { return port_; }

  /// Closes the port and all connections. Returns when no handler runs any
  /// more and none will; not to be called by a handler.
  void stop();

private:
  class session;
  class impl;

  http_server() = default;

  uint16_t port_ = 0;
  std::unique_ptr<impl> impl_;
};

} // namespace fantail
