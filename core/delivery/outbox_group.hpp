// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/delivery/outbox.hpp"
#include "core/instance_directory.hpp"
#include "core/routing/delivery_list.hpp"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <ranges>
#include <vector>

namespace fantail {

/// What one pull means for one egress group.
struct delivery {
  pull_ptr source;
  fantail::epoch owner;
  /// Number of the pull within its shard, for the confirmation.
  uint64_t number = 0;
  delivery_list targets;
};

/// Numbers a group counts; the telemetry of an egress.
struct outbox_group_stats {
  uint64_t deliveries = 0;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t dropped_best_effort = 0;
  uint64_t dropped_important = 0;
  uint64_t lagging_begun = 0;
  /// Dropped because nobody listened, with the server's proof.
  uint64_t unheard = 0;
  /// `single` instances that nobody listens for now.
  uint64_t absent = 0;
  uint64_t rewinds = 0;
};

/// All outboxes of one egress connection, and what of their deliveries the
/// server has confirmed. Behind what was flushed a marker is published on the
/// same connection; the server handles a connection's messages in order, so
/// when the marker comes back everything before it has arrived. Until then the
/// deliveries are kept, and a lost connection rewinds to the oldest of them.
/// While a marker is under way the next one waits, unless much has gathered:
/// each costs four threads a wake-up, and nobody waits for it but the
/// checkpoint.
///
/// Invariant: the deliveries of a shard are kept in pull order.
class outbox_group {
public:
  struct confirmation {
    shard_id shard;
    fantail::epoch owner;
    uint64_t number;
  };

  /// An outbox dropped events, began or ended to lag, or nobody listens to it.
  struct incident {
    enum class kind { dropped, lagging, live, absent, heard };
    kind what;
    instance_index instance;
    event_class cls = event_class::best_effort;
    uint32_t count = 0;
  };

  /// An instance that was never admitted gets the format `single` under the
  /// name it has in `names`.
  outbox_group(outbox_config settings, const instance_directory& names)
      : settings_(settings), names_(names) {}

  /// Names an instance, or changes its format or life. Returns where it
  /// begins, or where a known life goes on.
  std::vector<shard_position> admit(instance_index index,
                                    instance_profile profile,
                                    const life_start& start = {});

  /// A `frame` instance is dead: it gets nothing until it has caught up.
  void silenced(instance_index index, std::vector<incident>& incidents);

  /// The server said that nobody listens to what the instance was sent last.
  void unheard(instance_index index);

  /// `single` instances ask with their next event whether anybody listens.
  /// Call it about once per second.
  void ask_soon();

  /// How far back `frame` instances may still ask for events of `shard`;
  /// nothing if there are none.
  std::optional<position> oldest_needed(shard_id shard) const;

  /// Sets how far `shard` is routed before its first delivery. A second time,
  /// the shard's stream was lost and begins anew.
  void set_head(shard_id shard, shard_position head);

  /// Takes a delivery in.
  void accept(delivery x, std::vector<incident>& incidents);

  /// Publishes everything pending and, if it is time for one, a marker behind
  /// it. Returns false if the link failed; then the owner calls `rewind` when
  /// it is back.
  bool flush(bus_port& out, std::vector<incident>& incidents);

  /// The marker came back.
  void confirmed(uint64_t marker, std::vector<confirmation>& done,
                 std::vector<incident>& incidents);

  /// The link was lost: everything unconfirmed is pending again.
  void rewind(std::vector<incident>& incidents);

  /// Tells instances how far the shards are; call it about once per second.
  bool tell_positions(bus_port& out);

  /// An instance acknowledged positions. Ignored unless it is in this life.
  void acknowledge(instance_index index, std::string_view incarnation,
                   shard_id shard, position at,
                   std::vector<incident>& incidents);

  /// Whether the next flush may have something to do.
  bool is_pending() const noexcept {
    return !unmarked_.empty() || !dirty_.empty();
  }
  /// Deliveries that came since the last flush.
  auto unflushed() const noexcept {
    return std::ranges::subrange{
        unmarked_.begin() + static_cast<ptrdiff_t>(flushed_), unmarked_.end()};
  }
  size_t unconfirmed_bytes() const noexcept { return unconfirmed_bytes_; }
  const outbox_group_stats& stats() const noexcept { return stats_; }
  const outbox* find(instance_index index) const;
  /// Deliveries to one instance that were dropped.
  struct drops {
    std::array<uint64_t, 3> overflow_by_class{};
    /// Nobody listened.
    uint64_t unheard = 0;
  };
  drops drops_of(instance_index index) const;
  /// Numbers of the newest marker that was published, and of the newest that
  /// came back.
  uint64_t last_marker() const noexcept { return last_marker_; }
  uint64_t confirmed_marker() const noexcept { return confirmed_marker_; }
  const std::vector<shard_position>& heads() const noexcept { return heads_; }

private:
  struct slot {
    std::unique_ptr<outbox> box;
    std::string subject;
    bool is_dirty = false;
    drops dropped;
  };
  struct awaiting {
    uint64_t marker;
    std::deque<delivery> deliveries;
    size_t bytes;
    /// Whose questions are answered by then.
    std::vector<instance_index> asked;
  };

  slot& slot_of(instance_index index);
  void push(const delivery& x, std::vector<incident>& incidents);
  void mark_dirty(instance_index index);
  void take_verdict(instance_index index, std::vector<incident>& incidents);
  void note_lagging(instance_index index, std::vector<incident>& incidents);
  shard_position& head_of(shard_id shard);

  outbox_config settings_;
  const instance_directory& names_;
  std::vector<slot> slots_;
  std::vector<instance_index> dirty_;
  std::vector<instance_index> flushing_;
  std::vector<shard_position> heads_;
  /// Deliveries without a marker behind them; the first `flushed_` are
  /// published.
  std::deque<delivery> unmarked_;
  size_t flushed_ = 0;
  size_t unmarked_bytes_ = 0;
  std::deque<awaiting> awaiting_;
  size_t unconfirmed_bytes_ = 0;
  uint64_t last_marker_ = 0;
  uint64_t confirmed_marker_ = 0;
  frame::writer scratch_;
  outbox_group_stats stats_;
};

} // namespace fantail
