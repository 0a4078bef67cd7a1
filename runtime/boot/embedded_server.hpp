// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/boot/server_files.hpp"

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

namespace fantail {

using namespace std::chrono_literals;

struct embedded_server_config {
  /// A path, or a name that `find_program` looks up.
  std::string program = "nats-server";
  /// The node's state directory; the server's files are below `nats/`.
  std::string state_directory;
  /// Port on 127.0.0.1; 0 = a free one, last time's if it is still free.
  uint16_t port = 0;
  uint16_t shards = 8;
  uint16_t presence_shards = 8;
  /// Upper bound of all streams, on disk and, as far as half of the memory
  /// allows, in memory.
  uint64_t store_bytes_max = 8ull << 30;

  /// How long a server may take to read its streams before it answers.
  duration start_timeout = 60s;
  /// Time between two probes, and how long one may take.
  duration probe_interval = 1s;
  duration probe_timeout = 2s;
  /// Silence after which a server that runs is killed and started again.
  duration silence_max = 10s;
  /// Pauses between attempts to start it again, doubling.
  duration restart_pause_min = 100ms;
  duration restart_pause_max = 5s;
  /// What a stopping server gets before it is killed.
  duration stop_patience = 3s;
};

/// Called on the supervising thread; must not block and must not call `stop`.
struct embedded_server_handlers {
  /// The server ended or fell silent, and will be started again.
  std::function<void(const std::string& reason)> on_down;
  /// An attempt to start it again failed; the next one follows.
  std::function<void(const std::string& reason)> on_retry;
  /// It answers again, on the same port and with its data.
  std::function<void(duration outage)> on_up;
};

/// A private nats-server with JetStream: a child process on 127.0.0.1 that is
/// started, watched, started again and stopped by one thread. It survives
/// neither us nor a hang of its own: the kernel kills it when our process
/// ends, and a probe every second kills it when JetStream falls silent
/// (nats-server 2.9.10 hangs for good once its disk was full).
///
/// Subjects are mapped as docs/PROTOCOL.md says. Everybody on this machine may
/// connect; nobody else can.
class embedded_server {
public:
  /// Starts the server and waits until JetStream answers. Returns what is
  /// wrong, in words for the user, if it does not.
  static std::variant<std::unique_ptr<embedded_server>, std::string>
  start(embedded_server_config config, embedded_server_handlers on = {});

  /// Stops the server.
  ~embedded_server();
  embedded_server(const embedded_server&) = delete;
  embedded_server& operator=(const embedded_server&) = delete;

  /// SIGTERM, then SIGKILL; returns when the server has ended. Any thread but
  /// the handlers'.
  void stop();

  std::string url() const;
  uint16_t port() const noexcept { return config_.port; }
  /// What streams may take on disk and in memory. A user of the server must
  /// not reserve more, or the creation of a stream fails.
  uint64_t store_bytes() const noexcept { return store_bytes_; }
  uint64_t memory_bytes() const noexcept { return memory_bytes_; }

  /// Any thread.
  std::string version() const;
  /// Nothing while no server runs.
  std::optional<pid_t> pid() const;
  bool is_up() const;
  uint64_t restarts() const;

private:
  struct supervisor;

  explicit embedded_server(embedded_server_config config);
  std::optional<std::string> prepare();
  std::optional<std::string> write_settings();
  std::string directory() const;

  embedded_server_config config_;
  std::string name_;
  embedded_server_handlers on_;
  file_lock lock_;
  uint64_t store_bytes_ = 0;
  uint64_t memory_bytes_ = 0;
  /// Whether another port may be chosen when somebody took ours.
  bool may_move_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  bool is_up_ = false;
  /// Set once the first start succeeded (empty) or failed (why).
  std::optional<std::string> first_outcome_;
  std::optional<pid_t> pid_;
  uint64_t restarts_ = 0;
  std::string version_;

  std::thread thread_;
};

} // namespace fantail
