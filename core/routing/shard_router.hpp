// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"
#include "core/presence/delta.hpp"
#include "core/pull.hpp"
#include "core/routing/channel_watches.hpp"
#include "core/routing/delivery_list.hpp"
#include "core/routing/departures.hpp"
#include "core/routing/routing_table.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

namespace fantail {

/// What became of a delta.
enum class delta_outcome : uint8_t {
  applied,
  /// Its number was applied before; nothing changed.
  repeated,
  /// Deltas before it are missing; nothing changed. Ask for them from
  /// `applied_number` + 1 on.
  gap,
  /// It is for another shard or from an impossible presence shard.
  misdirected,
};

/// Why an event of a channel goes where it goes.
struct channel_route {
  struct stop {
    instance_index instance;
    /// Users of the channel who are online there.
    uint32_t users = 0;
  };

  bool known = false;
  uint32_t members = 0;
  std::vector<stop> stops;
  /// Instances that still get the events stored before they left.
  std::vector<instance_index> departing;
};

/// Counted since the start.
struct router_counters {
  /// Events routed, and how many of them nobody was online for.
  uint64_t events = 0;
  uint64_t unroutable = 0;
  /// Pairs of an event and an instance.
  uint64_t deliveries = 0;
  uint64_t deltas = 0;
};

/// The machine of one routing shard: it applies deltas to its table and routes
/// pulls with it. It sees one order: whatever was applied before a pull is
/// routed counts for that pull.
///
/// **Join.** After `apply` every event routed later goes to the new instance,
/// also one that was stored before the join: a table in doubt holds too much.
///
/// **Leave.** An event stored before a departure goes to the departing
/// instance even if it is routed later; one stored after it does not. Events
/// are compared by the server's times, which rise along a stream, so an event
/// later than a departure proves that everything before it was routed.
///
/// **Drained.** A delta is drained when its departures, and those of all
/// deltas before it, can hold no event back any more:
///
/// 1. it made no departure, or
/// 2. an event stored later than its departures was routed, or
/// 3. the router was caught up when or after the delta was applied: the last
///    pull said that nothing was pending, or `idle` was called.
///
/// Rule 3 lets a quiet stream drain. An event may be on its way from the
/// server at that moment; therefore departures are forgotten by rule 2 alone,
/// and such an event is still delivered, a moment after `left` was answered,
/// rather than missed. Who can know that the stream has moved on while no
/// request is under way calls `stalled`.
///
/// Not thread safe. Nothing here fails on foreign input.
///
/// Invariants (check_invariants): those of table and departures; a row is
/// pinned exactly if it has a departure.
class shard_router {
public:
  explicit shard_router(shard_id shard,
                        size_t departures_max = limits::departures_max);

  /// Deltas of each presence shard are numbered from 1 without gaps. Changes
  /// at or before `log_of(from)` were applied in another life of the presence
  /// shard and are left out.
  delta_outcome apply(const presence_delta& delta);

  /// Up to where the log of a presence shard is applied.
  log_progress log_of(presence_shard_id from) const noexcept;

  /// Forgets all users of a presence shard and the position in its log: it
  /// will tell everything anew.
  void forget(presence_shard_id from);

  /// Finds the instances of every event; those of index i go to group
  /// i % groups.size(). The groups are cleared first. REQUIRES: at least one
  /// group; pulls come in stream order (a repeated one is routed again).
  void route(const pull& events, std::span<delivery_list> groups);

  /// Replaces `selected` by the indices of the events that `instance` gets,
  /// with the membership in force now. For ranges that an instance asks for
  /// again: neither the counters nor `routed_to` move.
  void select(const pull& events, instance_index instance,
              std::vector<uint32_t>& selected) const;

  /// The stream is known to hold nothing behind `routed_to`.
  void idle();

  /// Nothing is known any more about the end of the stream, for example
  /// because the puller holds back its requests.
  void stalled() noexcept { caught_up_ = false; }

  /// The stream was lost and begins anew: positions count from 1 again. The
  /// table and the departures stay.
  void restarted() noexcept {
    routed_to_ = position{};
    caught_up_ = false;
  }

  /// Events stored at or after `stored_at_ns` may be routed once more, by
  /// `select` for an instance that lags: departures since then are kept for
  /// them, limits::departures_for_ranges_max at most. INT64_MAX, as at the
  /// start, keeps none.
  void keep_departures_since(int64_t stored_at_ns) noexcept {
    kept_since_ns_ = stored_at_ns;
  }

  /// After a restart events stored at or after `stored_at_ns` may be routed
  /// once more: departures since then are kept, and written by `save`.
  /// INT64_MAX, as at the start, keeps none.
  void restart_begins_at(int64_t stored_at_ns) noexcept {
    restart_from_ns_ = stored_at_ns;
  }

  /// Writes what a restart needs: table, departures, positions in the logs.
  void save(byte_writer& out) const;

  /// Reads that into this fresh router. Instance i of the bytes is
  /// `numbers[i]` now. What cannot be right fails `in`; then the router must
  /// not be used any more.
  void load(byte_reader& in, std::span<const instance_index> numbers);

  /// True while the last thing heard was that nothing is pending.
  bool caught_up() const noexcept { return caught_up_; }

  position routed_to() const noexcept { return routed_to_; }

  /// Highest delta of a presence shard that is applied, or applied and
  /// drained; 0 if none. drained_number <= applied_number, and neither falls.
  uint64_t applied_number(presence_shard_id from) const noexcept;
  uint64_t drained_number(presence_shard_id from) const noexcept;

  /// For `route explain`.
  channel_route route_of(std::string_view channel) const;

  /// Who comes and goes in channels that somebody watches.
  channel_watches& watches() noexcept { return watches_; }

  const router_counters& counters() const noexcept { return counters_; }
  const routing_table& table() const noexcept { return table_; }
  const departures& recent_departures() const noexcept { return departures_; }
  table_statistics statistics(size_t top) const;
  uint64_t digest() const { return table_.digest(); }

  bool check_invariants() const;

private:
  /// Deltas from `number` on are not drained until an event stored after
  /// `left_at_ns` was routed.
  struct undrained {
    uint64_t number;
    int64_t left_at_ns;
  };

  /// What is known of one presence shard.
  struct lane {
    uint64_t applied = 0;
    log_progress log;
    std::deque<undrained> waiting;
  };

  /// A departure before this concerns no event that is still to be routed.
  int64_t departures_matter_from() const noexcept {
    return std::min({routed_until_ns_, kept_since_ns_, restart_from_ns_});
  }
  void wait_for(lane& from, uint64_t number, int64_t left_at_ns);
  void drain();
  void record_departures(int64_t left_at_ns);
  void unpin_forgotten();
  void find_rows(const pull& events, size_t begin,
                 std::span<channel_dictionary::lookup> batch) const;
  void deliver(uint32_t event, int64_t stored_at_ns, row_id row,
               std::span<delivery_list> groups);
  void collect_departing(row_id row, int64_t stored_at_ns,
                         std::vector<instance_index>& out) const;

  shard_id shard_;
  routing_table table_;
  departures departures_;
  channel_watches watches_;
  std::vector<lane> lanes_;
  router_counters counters_;
  position routed_to_;
  /// Server time up to which events were routed.
  int64_t routed_until_ns_ = INT64_MIN;
  int64_t kept_since_ns_ = INT64_MAX;
  int64_t restart_from_ns_ = INT64_MAX;
  bool caught_up_ = false;
  // Scratch memory.
  std::vector<vacancy> vacated_;
  std::vector<row_id> forgotten_;
  std::vector<instance_index> departing_;
};

} // namespace fantail
