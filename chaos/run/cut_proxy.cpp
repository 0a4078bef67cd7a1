// SPDX-License-Identifier: MIT
#include "chaos/run/cut_proxy.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <vector>

namespace fantail::chaos {

namespace {

constexpr int round_ms = 20;
constexpr int waiting_connections = 64;

void prepare(const tcp_socket& x) {
  int on = 1;
  ::setsockopt(x.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(x.get(), F_SETFL, O_NONBLOCK);
}

} // namespace

cut_proxy::cut_proxy(uint16_t server)
    : server_port_(server), listener_(tcp_socket::make()),
      buffer_(buffer_bytes) {
  if (listener_.bind(0) && ::listen(listener_.get(), waiting_connections) == 0)
    port_ = listener_.port();
  ::fcntl(listener_.get(), F_SETFL, O_NONBLOCK);
  thread_ = std::thread{[this] {
    work();
  }};
}

cut_proxy::~cut_proxy() {
  is_over_ = true;
  thread_.join();
}

void cut_proxy::cut() {
  ++cuts_;
}

void cut_proxy::accept_one() {
  tcp_socket client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!client.is_open())
    return;
  auto server = tcp_socket::make();
  // On one machine a connection is made, or refused, at once.
  if (!server.connect(server_port_))
    return;
  prepare(client);
  prepare(server);
  pairs_.push_back({std::move(client), std::move(server), {}, {}});
}

/// False when the connection is over.
bool cut_proxy::pump(int from, int to, direction& x, short events_from,
                     short events_to) {
  if ((events_from & (POLLIN | POLLHUP | POLLERR)) && x.waiting.empty()) {
    auto got = ::recv(from, buffer_.data(), buffer_.size(), 0);
    auto is_later = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (got <= 0 && !is_later)
      return false;
    x.waiting.assign(buffer_.data(), got > 0 ? static_cast<size_t>(got) : 0);
    x.sent = 0;
    events_to = POLLOUT;
  }
  if (x.waiting.empty() || !(events_to & (POLLOUT | POLLERR | POLLHUP)))
    return true;
  auto put = ::send(to, x.waiting.data() + x.sent, x.waiting.size() - x.sent,
                    MSG_NOSIGNAL);
  if (put < 0)
    return errno == EAGAIN || errno == EINTR;
  x.sent += static_cast<size_t>(put);
  if (x.sent == x.waiting.size())
    x.waiting.clear();
  return true;
}

void cut_proxy::work() {
  uint32_t cuts_done = 0;
  std::vector<pollfd> entries;
  while (!is_over_) {
    if (cuts_done != cuts_) {
      cuts_done = cuts_;
      pairs_.clear();
    }
    entries.clear();
    entries.push_back({listener_.get(), POLLIN, 0});
    auto wants = [](const direction& in, const direction& out) {
      // Who is not read from any more has to wait.
      return static_cast<short>((in.waiting.empty() ? POLLIN : 0)
                                | (out.waiting.empty() ? 0 : POLLOUT));
    };
    for (auto& x : pairs_) {
      entries.push_back({x.client.get(), wants(x.up, x.down), 0});
      entries.push_back({x.server.get(), wants(x.down, x.up), 0});
    }
    if (::poll(entries.data(), entries.size(), round_ms) <= 0)
      continue;
    size_t i = 1;
    for (auto& x : pairs_) {
      auto client = entries[i++].revents;
      auto server = entries[i++].revents;
      x.is_over
          = !pump(x.client.get(), x.server.get(), x.up, client, server)
            || !pump(x.server.get(), x.client.get(), x.down, server, client);
    }
    pairs_.remove_if([](auto& x) { return x.is_over; });
    if (entries[0].revents != 0)
      accept_one();
  }
}

} // namespace fantail::chaos
