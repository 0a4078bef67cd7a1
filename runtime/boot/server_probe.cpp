// SPDX-License-Identifier: MIT
#include "runtime/boot/server_probe.hpp"

#include "core/json.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace fantail {

namespace {

using failure = std::optional<std::string>;

// INFO is the longest line a healthy server sends.
constexpr size_t received_bytes_max = 64 * 1024;

constexpr std::string_view inbox = "_INBOX.fantail-probe.";

std::string reason(const char* what) {
  return std::string{what} + ": " + std::strerror(errno);
}

} // namespace

failure server_probe::check(uint16_t port, duration timeout) {
  deadline_ = std::chrono::steady_clock::now() + timeout;
  auto why = socket_ < 0 ? connect(port) : std::nullopt;
  if (!why)
    why = ask();
  // Half an answer would be taken for the next one.
  if (why)
    disconnect();
  return why;
}

void server_probe::disconnect() noexcept {
  if (socket_ >= 0)
    close(socket_);
  socket_ = -1;
  received_.clear();
}

failure server_probe::connect(uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0)
    return reason("no socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address)
      != 0) {
    if (errno != EINPROGRESS)
      return reason("cannot connect");
    if (auto why = wait_for(POLLOUT))
      return why;
    int problem = 0;
    socklen_t size = sizeof problem;
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size);
    errno = problem;
    if (problem != 0)
      return reason("cannot connect");
  }
  return greet();
}

failure server_probe::greet() {
  std::string line;
  if (auto why = take_line(line))
    return why;
  constexpr std::string_view info = "INFO ";
  auto greeting = line.starts_with(info)
                      ? json::parse(std::string_view{line}.substr(info.size()))
                      : std::nullopt;
  if (!greeting)
    return "whoever answers is no NATS server";
  greeting_.name = greeting->string_or("server_name", "");
  greeting_.version = greeting->string_or("version", "");
  greeting_.has_jetstream = greeting->bool_or("jetstream", false);
  std::string hello
      = R"(CONNECT {"verbose":false,"pedantic":false,"name":"fantail-probe",)"
        R"("lang":"c++","version":"1","protocol":1,"headers":true,)"
        R"("no_responders":true})";
  hello.append("\r\nSUB ").append(inbox).append("* 1\r\n");
  return send(hello);
}

failure server_probe::ask() {
  auto reply = std::string{inbox} + std::to_string(++requests_);
  if (auto why = send("PUB $JS.API.INFO " + reply + " 0\r\n\r\n"))
    return why;
  // The body of an answer is one more line: its JSON has no line breaks. An
  // older request's answer that came late has another subject.
  for (std::string line;;) {
    if (auto why = take_line(line))
      return why;
    if (line == "PING") {
      if (auto why = send("PONG\r\n"))
        return why;
    } else if (line.starts_with("-ERR")) {
      return "the server says " + line;
    } else if (line.starts_with("HMSG " + reply + " ")) {
      return "JetStream does not answer";
    } else if (line.starts_with("MSG " + reply + " ")) {
      if (auto why = take_line(line))
        return why;
      auto answer = json::parse(line);
      if (!answer || answer->find("error"))
        return "JetStream answers " + line;
      return std::nullopt;
    }
  }
}

failure server_probe::send(std::string_view text) {
  while (!text.empty()) {
    auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0)
      text.remove_prefix(static_cast<size_t>(sent));
    else if (errno != EAGAIN && errno != EINTR)
      return reason("cannot send");
    else if (auto why = wait_for(POLLOUT))
      return why;
  }
  return std::nullopt;
}

failure server_probe::receive() {
  std::array<char, 4096> chunk;
  while (true) {
    auto got = recv(socket_, chunk.data(), chunk.size(), 0);
    if (got > 0) {
      received_.append(chunk.data(), static_cast<size_t>(got));
      return std::nullopt;
    }
    if (got == 0)
      return "the server closed the connection";
    if (errno != EAGAIN && errno != EINTR)
      return reason("cannot receive");
    if (auto why = wait_for(POLLIN))
      return why;
  }
}

failure server_probe::wait_for(short events) {
  using std::chrono::milliseconds;
  while (true) {
    auto left = deadline_ - std::chrono::steady_clock::now();
    auto ms = std::chrono::ceil<milliseconds>(left).count();
    if (ms <= 0)
      return "no answer in time";
    pollfd waited{socket_, events, 0};
    auto ready = poll(&waited, 1, static_cast<int>(ms));
    if (ready > 0)
      return std::nullopt;
    if (ready < 0 && errno != EINTR)
      return reason("cannot wait");
  }
}

failure server_probe::take_line(std::string& line) {
  while (true) {
    auto end = received_.find("\r\n");
    if (end != received_.npos) {
      line = received_.substr(0, end);
      received_.erase(0, end + 2);
      return std::nullopt;
    }
    if (received_.size() > received_bytes_max)
      return "whoever answers is no NATS server";
    if (auto why = receive())
      return why;
  }
}

} // namespace fantail
