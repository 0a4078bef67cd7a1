// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fantail {

/// Knows which instances are alive, from when they were heard last. Any word
/// of an instance counts. A *watched* instance promised to speak regularly: it
/// registered in the format `frame`. It is dead after `silence`, until it
/// speaks again. Of an instance that was silent for `ttl` the sessions have
/// ended; that is a *lapse*, and it has to be told.
///
/// Time in which nobody could be heard does not count: while the link is down,
/// and while this process stood still.
///
/// Not thread safe. Bound: limits::instances_max entries of 24 bytes.
///
/// Invariants: only a watched instance is dead; dead_count() is the number of
/// them; lapses never fall.
class instance_watch {
public:
  struct config {
    duration silence = std::chrono::seconds{15};
    duration ttl = limits::presence_ttl_default;

    /// The silence that goes with a heartbeat.
    static config of(duration heartbeat, duration ttl) {
      auto silence
          = std::max<duration>(limits::heartbeats_missed_max * heartbeat,
                               limits::instance_silence_min);
      return {std::min(silence, ttl), ttl};
    }
  };

  explicit instance_watch(config settings) : settings_(settings) {}

  /// A life of the instance begins. Does not count as a return.
  void admitted(instance_index index, delivery_format format, time_point now);

  /// The instance left on purpose; it is not expected to speak.
  void left(instance_index index);

  /// A sign of life. Returns true if the instance was dead.
  bool heard(instance_index index, time_point now);

  /// Appends the instances that died since the last call. Call it several
  /// times per second.
  void tick(time_point now, std::vector<instance_index>& died);

  /// Nobody can be heard, until `resume`. Repeats do nothing.
  void pause(time_point now);
  void resume(time_point now);

  bool is_dead(instance_index index) const noexcept;
  size_t dead_count() const noexcept { return dead_; }

  /// How often the instance was silent for longer than the time to live.
  uint32_t lapses(instance_index index) const noexcept;

private:
  struct entry {
    time_point heard{};
    uint32_t lapses = 0;
    bool is_known = false;
    bool is_watched = false;
    bool is_dead = false;
  };

  entry& entry_of(instance_index index);
  void revive(entry& x);
  void forgive(duration outage);

  config settings_;
  std::vector<entry> entries_;
  size_t dead_ = 0;
  time_point ticked_{};
  bool is_paused_ = false;
  time_point paused_at_{};
};

} // namespace fantail
