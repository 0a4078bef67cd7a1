// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fantail {

/// A NATS client for tests of what comes before our own client works: sends
/// protocol lines as they are, and waits for a piece of text.
class raw_nats {
public:
  explicit raw_nats(uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{5, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::connect(socket_, raw, sizeof address) == 0)
      send("CONNECT {\"verbose\":false,\"headers\":true,"
           "\"no_responders\":true}\r\nSUB _INBOX.t.* 1\r\n");
  }
  ~raw_nats() { close(socket_); }
  raw_nats(const raw_nats&) = delete;
  raw_nats& operator=(const raw_nats&) = delete;

  void send(std::string_view text) {
    [[maybe_unused]] auto sent
        = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }

  void publish(std::string_view subject, std::string_view body,
               std::string_view reply = {}) {
    std::string line{"PUB "};
    line.append(subject).append(" ").append(reply).append(" ");
    line.append(std::to_string(body.size())).append("\r\n");
    send(line.append(body).append("\r\n"));
  }

  /// Sends a request and returns everything received up to `end` and the rest
  /// of its line, or all that came within five seconds.
  std::string request(std::string_view subject, std::string_view body,
                      std::string_view end) {
    publish(subject, body, "_INBOX.t.1");
    return read_until(end);
  }

  std::string read_until(std::string_view end) {
    std::string result;
    std::array<char, 4096> chunk;
    while (true) {
      auto at = result.find(end);
      if (at != result.npos && result.find("\r\n", at) != result.npos)
        return result;
      auto got = recv(socket_, chunk.data(), chunk.size(), 0);
      if (got <= 0)
        return result;
      result.append(chunk.data(), static_cast<size_t>(got));
    }
  }

private:
  int socket_;
};

} // namespace fantail
