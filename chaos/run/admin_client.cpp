// SPDX-License-Identifier: MIT
#include "chaos/run/admin_client.hpp"

#include "chaos/run/tcp_socket.hpp"

#include <poll.h>

#include <charconv>

namespace fantail::chaos {

namespace {

using steady = std::chrono::steady_clock;

/// Joins the chunks of a body; what is cut short ends it.
std::string join_chunks(std::string_view text) {
  std::string result;
  while (true) {
    auto line_end = text.find("\r\n");
    size_t size = 0;
    auto digits = text.substr(0, line_end);
    std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (line_end == text.npos || size == 0 || text.size() < line_end + 2 + size)
      return result;
    result += text.substr(line_end + 2, size);
    text.remove_prefix(line_end + 2 + size);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : 0);
  }
}

std::optional<admin_client::answer> parse(std::string_view text) {
  auto head_end = text.find("\r\n\r\n");
  auto code_at = text.find(' ');
  if (!text.starts_with("HTTP/1.") || head_end == text.npos
      || code_at > head_end)
    return std::nullopt;
  admin_client::answer result;
  auto* code = text.data() + code_at + 1;
  std::from_chars(code, text.data() + head_end, result.status);
  auto body = text.substr(head_end + 4);
  auto is_chunked = text.substr(0, head_end).find("chunked") != text.npos;
  result.body = is_chunked ? join_chunks(body) : std::string{body};
  return result;
}

} // namespace

std::optional<admin_client::answer> admin_client::get(const std::string& target,
                                                      duration timeout) const {
  return ask("GET", target, timeout);
}

std::optional<admin_client::answer>
admin_client::post(const std::string& target, duration timeout) const {
  return ask("POST", target, timeout);
}

std::optional<admin_client::answer> admin_client::ask(const std::string& method,
                                                      const std::string& target,
                                                      duration timeout) const {
  auto deadline = steady::now() + timeout;
  auto socket = tcp_socket::make();
  if (!socket.is_open() || !socket.connect(port_))
    return std::nullopt;
  auto request = method + " " + target
                 + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  if (method == "POST") {
    request += "Content-Length: 0\r\n";
    if (!token_.empty())
      request += "Authorization: Bearer " + token_ + "\r\n";
  }
  request += "\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL)
      != static_cast<ssize_t>(request.size()))
    return std::nullopt;
  std::string text;
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
      return parse(text);
    text.append(buffer, static_cast<size_t>(got));
  }
}

std::string admin_client::encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
                                     "nopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (auto x : text) {
    auto byte = static_cast<unsigned char>(x);
    if (plain.find(x) != plain.npos)
      result += x;
    else
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return result;
}

uint16_t admin_client::free_port() {
  auto socket = tcp_socket::make();
  return socket.bind(0) ? socket.port() : 0;
}

} // namespace fantail::chaos
