// SPDX-License-Identifier: MIT
#include "bench/demo/http_get.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace fantail::demo {

namespace {

constexpr size_t response_bytes_max = 1024 * 1024;

struct address {
  std::string host, port, path;
};

std::optional<address> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme))
    return std::nullopt;
  url.remove_prefix(scheme.size());
  auto slash = std::min(url.find('/'), url.size());
  auto authority = url.substr(0, slash);
  auto colon = std::min(authority.rfind(':'), authority.size());
  address result{std::string{authority.substr(0, colon)}, "80",
                 std::string{url.substr(slash)}};
  if (colon < authority.size())
    result.port = authority.substr(colon + 1);
  if (result.path.empty())
    result.path = "/";
  return result;
}

/// A connected socket whose calls end after the timeout; closes itself.
class client_socket {
public:
  client_socket(const address& to, duration timeout) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found) != 0)
      return;
    fd_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto us = std::chrono::duration_cast<std::chrono::microseconds>(timeout);
    timeval limit{us.count() / 1'000'000, us.count() % 1'000'000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(fd_, found->ai_addr, found->ai_addrlen) != 0)
      close();
    ::freeaddrinfo(found);
  }
  ~client_socket() { close(); }
  client_socket(const client_socket&) = delete;
  client_socket& operator=(const client_socket&) = delete;

  bool send(std::string_view text) {
    while (fd_ >= 0 && !text.empty()) {
      auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return fd_ >= 0;
  }

  /// All that comes until the other side closes.
  std::optional<std::string> receive_all() {
    std::string result;
    char buffer[16 * 1024];
    while (result.size() < response_bytes_max) {
      auto got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got == 0)
        return result;
      if (got < 0)
        return std::nullopt;
      result.append(buffer, static_cast<size_t>(got));
    }
    return std::nullopt;
  }

private:
  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }

  int fd_ = -1;
};

} // namespace

std::optional<std::string> http_get(const std::string& url, duration timeout) {
  auto to = parse_url(url);
  if (!to)
    return std::nullopt;
  client_socket socket{*to, timeout};
  // Version 1.0, so that the answer ends with the connection and is not cut
  // into chunks.
  if (!socket.send("GET " + to->path + " HTTP/1.0\r\nHost: " + to->host
                   + "\r\nConnection: close\r\n\r\n"))
    return std::nullopt;
  auto response = socket.receive_all();
  if (!response || !response->starts_with("HTTP/1.")
      || response->substr(8, 5) != " 200 ")
    return std::nullopt;
  auto body = response->find("\r\n\r\n");
  if (body == std::string::npos)
    return std::nullopt;
  return response->substr(body + 4);
}

} // namespace fantail::demo
