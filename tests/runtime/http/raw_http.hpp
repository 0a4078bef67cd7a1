// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fantail {

/// An HTTP client for tests: sends bytes as they are and reads responses by
/// their length, so that it also shows what a well-behaved client hides.
class raw_http {
public:
  struct response {
    /// 0 = the server closed the connection, nothing came in 10 s, or it was
    /// no response.
    int status = 0;
    std::string head;
    std::string body;

    bool says(std::string_view text) const {
      return (head + body).find(text) != std::string::npos;
    }
  };

  explicit raw_http(uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    is_connected_ = ::connect(socket_, raw, sizeof address) == 0;
  }
  ~raw_http() { close(socket_); }
  raw_http(const raw_http&) = delete;
  raw_http& operator=(const raw_http&) = delete;

  bool is_connected() const noexcept { return is_connected_; }

  void send(std::string_view text) {
    while (!text.empty()) {
      auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }

  void ask(std::string_view target, std::string_view method = "GET") {
    std::string text{method};
    send(text.append(" ").append(target).append(
        " HTTP/1.1\r\nHost: test\r\n\r\n"));
  }

  /// The next response; one to HEAD has a length but no body.
  response read(bool has_body = true) {
    response result;
    size_t end;
    while ((end = received_.find("\r\n\r\n")) == received_.npos)
      if (!receive())
        return result;
    result.head = received_.substr(0, end + 4);
    received_.erase(0, end + 4);
    auto at = result.head.find("Content-Length: ");
    size_t size
        = at == result.head.npos
              ? 0
              : std::strtoul(result.head.c_str() + at + 16, nullptr, 10);
    while (has_body && received_.size() < size)
      if (!receive())
        return result;
    result.body = received_.substr(0, has_body ? size : 0);
    received_.erase(0, result.body.size());
    if (result.head.starts_with("HTTP/1."))
      result.status = std::atoi(result.head.c_str() + sizeof "HTTP/1.1");
    return result;
  }

  response get(std::string_view target) {
    ask(target);
    return read();
  }

  response post(std::string_view target, std::string_view token) {
    std::string text{"POST "};
    text.append(target).append(" HTTP/1.1\r\nHost: test\r\n");
    if (!token.empty())
      text.append("Authorization: Bearer ").append(token).append("\r\n");
    send(text.append("Content-Length: 0\r\n\r\n"));
    return read();
  }

  /// Reads what comes behind a response until `text` is in it.
  bool reads(std::string_view text) {
    while (received_.find(text) == received_.npos)
      if (!receive())
        return false;
    return true;
  }

  /// What came and was not read as a response.
  const std::string& received() const noexcept { return received_; }

  /// True if the server closes the connection without another byte.
  bool is_closed() { return received_.empty() && !receive(); }

private:
  bool receive() {
    std::array<char, 16 * 1024> chunk;
    auto got = recv(socket_, chunk.data(), chunk.size(), 0);
    if (got > 0)
      received_.append(chunk.data(), static_cast<size_t>(got));
    return got > 0;
  }

  int socket_;
  bool is_connected_ = false;
  std::string received_;
};

} // namespace fantail
