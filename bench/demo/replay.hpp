// SPDX-License-Identifier: MIT
#pragma once

#include "bench/demo/crowd.hpp"
#include "bench/demo/trace.hpp"
#include "bench/demo/verifier.hpp"
#include "runtime/nats/connection.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fantail::demo {

struct replay_options {
  /// Seconds of the trace per second.
  double speed = 1;
  uint16_t instances = 1;
  playlist_options rooms;
};

/// What a replay has done so far.
struct progress {
  struct instance_line {
    std::string name;
    delivery_format format = delivery_format::single;
    uint64_t events = 0;
  };

  verifier::totals count;
  histogram latency;
  /// Stored events that have not arrived everywhere.
  uint64_t lag = 0;
  size_t online = 0;
  size_t memberships = 0;
  size_t presence_unanswered = 0;
  /// Events whose time has come and that are not published, because their
  /// sender is no member yet or too many are under way.
  size_t held_back = 0;
  size_t in_flight = 0;
  uint64_t presence_changes = 0;
  uint64_t presence_refused = 0;
  /// Changes whose answers got lost, which happens when a node dies.
  uint64_t presence_forgotten = 0;
  /// Publishes that were repeated for want of an acknowledgement.
  uint64_t publish_repeats = 0;
  /// Losses that Fantail reported to instances.
  uint64_t losses = 0;
  int64_t trace_at_ms = 0;
  /// The trace is at its end.
  bool is_over = false;
  /// Nothing is under way or waited for.
  bool is_settled = false;
  std::vector<instance_line> instances;
};

/// Plays a trace through Fantail: a producer, a presence source and a number of
/// instances of both formats, watched by a verifier. Users live on the instance
/// with their number modulo the number of instances. Names of users and
/// instances and ids of events are new in each run, so that runs do not disturb
/// each other.
///
/// Any thread may call; everything happens on the loop's thread.
class replay {
public:
  /// `producers` and `instances` are connections on `loop` and live longer, as
  /// does `trace`.
  replay(nats::event_loop& loop, nats::connection& producers,
         nats::connection& instances, trace_reader& trace,
         replay_options options);
  ~replay();
  replay(const replay&) = delete;
  replay& operator=(const replay&) = delete;

  /// Registers the instances; false if not all are answered in time.
  bool register_instances(duration timeout);

  /// Begins to play.
  void play();

  /// Plays no further row; what is under way goes on.
  void stop_playing();

  /// Counts what has not arrived as missed and deregisters the instances.
  void finish();

  progress look() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace fantail::demo
