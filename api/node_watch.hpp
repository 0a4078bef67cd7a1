// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/inspection/actor_control.hpp"
#include "core/inspection/actor_directory.hpp"
#include "core/inspection/rate_window.hpp"
#include "core/instance_directory.hpp"
#include "core/report.hpp"
#include "core/telemetry.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fantail {

/// Watches the actors of a node from a thread of its own, so that it sees what
/// hangs while everything hangs: reports who is stuck, and keeps how fast
/// things have gone for the last ten seconds. What it costs does not depend on
/// whether somebody asks. Thread safe.
class node_watch {
public:
  /// All of it outlives the watch.
  struct subject {
    const actor_directory* actors = nullptr;
    actor_control_port* control = nullptr;
    telemetry::node* counts = nullptr;
    const instance_directory* instances = nullptr;
    const clock_port* clock = nullptr;
    report_port* reports = nullptr;
  };

  struct actor_pace {
    double messages_per_second = 0;
    /// Share of the time spent in handlers.
    double busy_ratio = 0;
  };
  struct shard_pace {
    double events_per_second = 0;
    double deliveries_per_second = 0;
  };

  explicit node_watch(subject what) : what_(what) {}
  ~node_watch() { stop(); }

  /// Looks ten times per second from now on.
  void start();
  void stop();

  /// Looks once; a test's way.
  void look(time_point now);

  actor_pace pace_of(const actor_record& actor) const;
  shard_pace pace_of_shard(size_t shard) const;
  /// Records per second.
  double pace_of_presence(size_t shard) const;
  /// Events per second routed to an instance.
  double pace_of_instance(size_t index) const;
  /// How long the windows are by now; at most ten seconds.
  double window_seconds() const;

private:
  struct watched {
    actor_directory::record_ptr record;
    stuck_watch stuck;
    rate_window messages;
    rate_window busy_ns;
  };
  struct shard_windows {
    rate_window events, deliveries;
  };

  void run();
  void look_at(watched& x, int64_t now_ns);
  void tell(watched& x, stuck_watch::news what, int64_t now_ns);
  void resume_overfull(const actor_record& x);
  void sample(int64_t now_ns);

  const subject what_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::map<const actor_record*, watched> actors_;
  std::vector<shard_windows> shards_;
  std::vector<rate_window> presence_;
  std::vector<rate_window> instances_;
  rate_window length_;
  time_point next_sample_{};
};

} // namespace fantail
