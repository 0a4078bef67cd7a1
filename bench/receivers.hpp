// SPDX-License-Identifier: MIT
#pragma once

#include "bench/frame_tally.hpp"
#include "bench/test_bed.hpp"
#include "core/histogram.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace fantail::bench {

struct receiver_options {
  uint16_t instances = 20;
  delivery_format format = delivery_format::frame;
  /// Reads the time in every body. Without it the receivers cost little more
  /// than the bytes they read.
  bool measures_latency = true;
};

/// All notification instances of a benchmark (`notif-000`, ...) on one
/// connection: they register, send heartbeats, acknowledge what they get and
/// count. Router and floor get the very same ones.
///
/// Any thread may call; never a loop's.
class receivers {
public:
  struct totals {
    frame_tally::counters frames;
    uint64_t deliveries = 0;
    uint64_t messages = 0;
    uint64_t bytes = 0;
    /// Monotonic, 0 if nothing came.
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    /// From the time in a body to its arrival here.
    histogram latency;
  };

  /// `bed` has to live longer.
  receivers(const test_bed& bed, receiver_options options);
  ~receivers();

  /// Registers every instance and waits for the answers; the format `single`
  /// needs none. Throws bench_error if an instance is refused or ignored.
  void enroll(duration timeout);

  /// Forgets positions and counts: another program delivers from here on.
  void begin_run();

  /// Latency counts from here; everything else goes on.
  void begin_window();

  /// Since begin_run.
  totals take_totals();

  /// Since begin_run; cheap enough to be polled.
  uint64_t deliveries() const noexcept { return deliveries_; }

private:
  void on_event(const nats::message& x);
  void keep_alive(time_point now);

  const test_bed& bed_;
  receiver_options options_;
  uint16_t shards_;
  std::string incarnation_;
  std::atomic<uint64_t> deliveries_ = 0;
  // The rest belongs to the loop's thread.
  totals totals_;
  std::vector<frame_tally> tallies_;
  time_point heartbeat_at_{};
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
};

} // namespace fantail::bench
