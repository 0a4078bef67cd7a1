// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/run/tcp_socket.hpp"

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

namespace fantail::chaos {

/// Stands between a node and its nats-server, so that their connections can
/// be cut while both live. It passes bytes on as they come, and holds at most
/// `buffer_bytes` per direction.
class cut_proxy {
public:
  static constexpr size_t buffer_bytes = 256 * 1024;

  /// Listens on a free port of 127.0.0.1 for connections to `server`.
  explicit cut_proxy(uint16_t server);
  ~cut_proxy();
  cut_proxy(const cut_proxy&) = delete;
  cut_proxy& operator=(const cut_proxy&) = delete;

  uint16_t port() const noexcept { return port_; }

  /// Cuts all connections; new ones are taken at once.
  void cut();

private:
  struct direction {
    std::string waiting;
    size_t sent = 0;
  };

  struct pair {
    tcp_socket client;
    tcp_socket server;
    direction up, down;
    bool is_over = false;
  };

  void work();
  void accept_one();
  bool pump(int from, int to, direction& x, short events_from, short events_to);

  uint16_t server_port_;
  uint16_t port_ = 0;
  tcp_socket listener_;
  std::vector<char> buffer_;
  std::list<pair> pairs_;
  std::atomic<bool> is_over_ = false;
  std::atomic<uint32_t> cuts_ = 0;
  std::thread thread_;
};

} // namespace fantail::chaos
