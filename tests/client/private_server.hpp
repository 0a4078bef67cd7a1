// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace fantail::test {

/// A nats-server for one test, on a free port of the loopback: without
/// JetStream, or with its store in a directory. It ends with the test.
class private_server {
public:
  explicit private_server(std::string store = {}) : store_(std::move(store)) {
    port_ = free_port();
    launch();
  }
  ~private_server() { kill(); }
  private_server(const private_server&) = delete;
  private_server& operator=(const private_server&) = delete;

  std::string url() const {
    return "nats://127.0.0.1:" + std::to_string(port_);
  }

  nats::connect_options options() const {
    nats::connect_options result;
    result.url = url();
    return result;
  }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  /// Starts it again on the same port.
  void restart() {
    kill();
    launch();
  }

private:
  uint16_t free_port() const {
    auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
    auto chosen = address();
    socklen_t size = sizeof chosen;
    auto* raw = reinterpret_cast<sockaddr*>(&chosen);
    if (::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0)
      chosen.sin_port = 0;
    ::close(fd);
    return ntohs(chosen.sin_port);
  }

  void launch() {
    auto port = std::to_string(port_);
    pid_ = ::fork();
    if (pid_ != 0) {
      wait_until_it_listens();
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(STDERR_FILENO);
    auto* jetstream = store_.empty() ? nullptr : "-js";
    for (auto* binary : {"nats-server", "/usr/sbin/nats-server"})
      ::execlp(binary, binary, "-a", "127.0.0.1", "-p", port.c_str(), jetstream,
               "-sd", store_.c_str(), nullptr);
    ::_exit(127);
  }

  sockaddr_in address() const {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result.sin_port = htons(port_);
    return result;
  }

  void wait_until_it_listens() const {
    auto to = address();
    for (int i = 0; i < 2'000; ++i) {
      auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
      auto failed = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
      ::close(fd);
      if (!failed)
        return;
      ::usleep(5'000);
    }
  }

  uint16_t port_ = 0;
  /// Where JetStream keeps its data; empty = no JetStream.
  std::string store_;
  pid_t pid_ = -1;
};

} // namespace fantail::test
