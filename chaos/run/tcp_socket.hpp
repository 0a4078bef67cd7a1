// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace fantail::chaos {

/// A TCP socket that is closed with its owner.
class tcp_socket {
public:
  tcp_socket() = default;
  explicit tcp_socket(int fd) : fd_(fd) {}
  ~tcp_socket() { close(); }
  tcp_socket(tcp_socket&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {}
  tcp_socket& operator=(tcp_socket&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }

  static tcp_socket make() {
    return tcp_socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }

  void close() noexcept {
    if (auto fd = std::exchange(fd_, -1); fd >= 0)
      ::close(fd);
  }

  bool connect(uint16_t port) const {
    auto address = loopback(port);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address)
           == 0;
  }

  /// Port 0 is any free one.
  bool bind(uint16_t port) const {
    auto address = loopback(port);
    return ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address)
           == 0;
  }

  uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    return ::getsockname(fd_, raw, &size) == 0 ? ntohs(address.sin_port) : 0;
  }

private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return result;
  }

  int fd_ = -1;
};

} // namespace fantail::chaos
