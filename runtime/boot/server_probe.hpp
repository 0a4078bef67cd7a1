// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

/// What a NATS server says of itself when it greets.
struct server_greeting {
  std::string name;
  std::string version;
  bool has_jetstream = false;
};

/// Asks a NATS server on 127.0.0.1 whether JetStream works: by a request to
/// JetStream, since a server whose disk filled up greets, answers PING and
/// calls itself healthy, but never stores anything again. Speaks just enough
/// of the protocol over one plain, blocking socket, so that it depends on
/// nothing whose health is in question. Not thread safe.
class server_probe {
public:
  server_probe() = default;
  ~server_probe() { disconnect(); }
  server_probe(const server_probe&) = delete;
  server_probe& operator=(const server_probe&) = delete;

  /// Connects unless a connection stands, asks, and waits for the answer for
  /// at most `timeout`. Returns what is wrong.
  std::optional<std::string> check(uint16_t port, duration timeout);

  /// The greeting of the newest connection.
  const server_greeting& greeting() const noexcept { return greeting_; }

  void disconnect() noexcept;

private:
  std::optional<std::string> connect(uint16_t port);
  std::optional<std::string> greet();
  std::optional<std::string> ask();
  std::optional<std::string> send(std::string_view text);
  std::optional<std::string> receive();
  std::optional<std::string> wait_for(short events);
  std::optional<std::string> take_line(std::string& line);

  int socket_ = -1;
  time_point deadline_;
  std::string received_;
  server_greeting greeting_;
  uint64_t requests_ = 0;
};

} // namespace fantail
