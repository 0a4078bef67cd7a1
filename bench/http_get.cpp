// SPDX-License-Identifier: MIT
#include "bench/http_get.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

class tcp_socket {
public:
  tcp_socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~tcp_socket() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  tcp_socket(const tcp_socket&) = delete;
  tcp_socket& operator=(const tcp_socket&) = delete;
  int get() const noexcept { return fd_; }

private:
  int fd_;
};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

/// Joins the chunks of a body; what is cut short ends it.
std::string join_chunks(std::string_view text) {
  std::string result;
  while (true) {
    auto line_end = text.find("\r\n");
    size_t size = 0;
    auto digits = text.substr(0, line_end);
    std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (line_end == std::string_view::npos || size == 0
        || text.size() < line_end + 2 + size)
      return result;
    result += text.substr(line_end + 2, size);
    text.remove_prefix(line_end + 2 + size);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : 0);
  }
}

} // namespace

std::optional<http_answer> parse_http_answer(std::string_view text) {
  auto head_end = text.find("\r\n\r\n");
  auto code_at = text.find(' ');
  if (!text.starts_with("HTTP/1.") || head_end == std::string_view::npos
      || code_at > head_end)
    return std::nullopt;
  http_answer result;
  auto* code = text.data() + code_at + 1;
  std::from_chars(code, text.data() + head_end, result.status);
  auto body = text.substr(head_end + 4);
  auto head = text.substr(0, head_end);
  auto is_chunked = head.find("chunked") != std::string_view::npos;
  result.body = is_chunked ? join_chunks(body) : std::string{body};
  return result;
}

std::optional<http_answer> http_get(uint16_t port, const std::string& target,
                                    duration timeout) {
  auto deadline = steady::now() + timeout;
  tcp_socket socket;
  auto address = loopback(port);
  if (socket.get() < 0
      || ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address),
                   sizeof address)
             != 0)
    return std::nullopt;
  auto request = "GET " + target
                 + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL)
      != static_cast<ssize_t>(request.size()))
    return std::nullopt;
  std::string answer;
  char buffer[16 * 1024];
  while (true) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline
                                                             - steady::now());
    pollfd entry{socket.get(), POLLIN, 0};
    if (left.count() <= 0
        || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0)
      return std::nullopt;
    auto got = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (got <= 0)
      return parse_http_answer(answer);
    answer.append(buffer, static_cast<size_t>(got));
  }
}

uint16_t free_port() {
  tcp_socket socket;
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), raw, size) != 0
      || ::getsockname(socket.get(), raw, &size) != 0)
    return 0;
  return ntohs(address.sin_port);
}

} // namespace fantail::bench
