// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/histogram.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace fantail::demo {

/// Numbers of this run; they have nothing to do with Fantail's own.
using channel_number = uint32_t;
using instance_number = uint16_t;
using event_number = uint64_t;

/// What is forgiven, and for how long an event is waited for.
struct verifier_config {
  /// Format of each instance.
  std::vector<delivery_format> formats;
  /// Around a presence change an event may or may not arrive for this long.
  duration grace = std::chrono::milliseconds{200};
  /// A stored event that has not arrived everywhere after this time is missed.
  duration patience = std::chrono::seconds{60};
  /// A complete event is remembered this long, to recognise a repeat.
  duration memory = std::chrono::seconds{10};
};

/// Checks on the fly that every instance gets exactly the events of its users'
/// channels, in order. It is told what was asked of Fantail, what Fantail
/// answered and what the instances received, and knows nothing else.
///
/// An instance *must* receive an event if one of its users was answered
/// `joined` before the publish began and none of them asked to leave before
/// its acknowledgement (several users in turn will do). It *may* receive it if
/// the time from the publish to the acknowledgement touches, within the grace,
/// a time in which one of its users was or may have been a member. Otherwise it
/// *must not*; but an event that was stored earlier and arrives after a join
/// was asked for is only counted as early.
///
/// Order is that of the stream: positions of one channel have to rise at each
/// instance. They are known from the acknowledgements, which may come after
/// the events, so checks wait for them. What the format `single` repeats after
/// a restart may include events that a new member had missed before: of those
/// that only *may* come, order is not demanded there.
///
/// Pure and not thread safe. Time must not run backwards between calls.
class verifier {
public:
  struct totals {
    uint64_t published = 0;
    uint64_t stored = 0;
    uint64_t deliveries = 0;
    /// Deliveries that had to come, and did.
    uint64_t expected = 0;
    uint64_t missed = 0;
    uint64_t out_of_order = 0;
    uint64_t excess = 0;
    /// Stored before a user of the instance asked to join, by more than the
    /// grace, and routed afterwards. Legal: an event that is under way during
    /// a join may come, or be found in the history.
    uint64_t early = 0;
    uint64_t repeats_frame = 0;
    /// Permitted by the protocol after a restart or a lost connection.
    uint64_t repeats_single = 0;

    /// The verdict: nothing missed, out of order or in excess, and no repeat
    /// where the protocol excludes them.
    bool is_clean() const {
      return missed == 0 && out_of_order == 0 && excess == 0
             && repeats_frame == 0;
    }
  };

  explicit verifier(verifier_config config);

  // -- presence: one call per user and channel, in pairs
  // -------------------------

  /// The join of a user on `instance` is about to be sent.
  void join_requested(channel_number channel, instance_number instance,
                      time_point now);
  /// Answered `joined`.
  void joined(channel_number channel, instance_number instance);
  /// Not answered, or refused: the user is no member.
  void join_failed(channel_number channel, instance_number instance,
                   time_point now);
  /// The leave of a user who was answered `joined` is about to be sent.
  void leave_requested(channel_number channel, instance_number instance);
  /// Answered `left`.
  void left(channel_number channel, instance_number instance, time_point now);

  // -- events
  // --------------------------------------------------------------------

  /// The event is about to be published; latency counts from `intended`.
  /// Returns its number; numbers are dense and rise.
  event_number publish_began(channel_number channel, time_point intended,
                             time_point now);
  /// The publish was acknowledged.
  void stored(event_number event, position pos, time_point now);
  /// The publish was given up and is known not to be stored.
  void publish_failed(event_number event);
  /// `instance` received the event.
  void received(event_number event, instance_number instance, time_point now);

  // -- result
  // --------------------------------------------------------------------

  /// Gives up on overdue events and forgets settled ones.
  void tick(time_point now);

  /// No event is waited for.
  bool is_complete() const noexcept { return unstored_ + incomplete_ == 0; }

  /// Stored events that have not arrived everywhere.
  uint64_t lag() const noexcept { return incomplete_; }

  /// Counts everything still waited for as missed. Call it once, at the end.
  void finish();

  const totals& count() const noexcept { return count_; }

  /// Intended publish -> received, of all deliveries that are no repeats.
  const histogram& latency() const noexcept { return latency_; }

private:
  struct interval {
    time_point opened;
    std::optional<time_point> closed;
  };

  struct arrival {
    event_number event;
    bool has_order;
  };

  /// What one instance has to do with one channel.
  struct link {
    /// Users answered `joined` who did not ask to leave.
    uint32_t sure = 0;
    /// Users who asked to join and are not answered `left`.
    uint32_t possible = 0;
    std::vector<interval> intervals;
    position last;
    /// Received, and not yet compared because a position is unknown.
    std::deque<arrival> uncompared;
  };

  struct channel_state {
    std::vector<link> links;
    /// Published and not yet acknowledged.
    std::vector<event_number> unstored;
  };

  struct event_state {
    channel_number channel = 0;
    time_point intended;
    time_point began;
    std::optional<time_point> stored_at;
    position pos;
    bool failed = false;
    std::vector<instance_number> awaited;
    std::vector<instance_number> received;

    bool is_complete() const {
      return failed || (stored_at && awaited.empty());
    }
  };

  channel_state& at(channel_number channel);
  event_state* find(event_number event);
  void close(link& x, time_point now);
  void judge_unexpected(const event_state& event, const link& x,
                        time_point now);
  void compare(link& x);
  void forget_unstored(const event_state& event, event_number number);
  void count_repeat(instance_number instance);
  void count_missed(event_state& event);

  verifier_config config_;
  std::unordered_map<channel_number, channel_state> channels_;
  /// Events from number `first_` on.
  std::deque<event_state> events_;
  event_number first_ = 0;
  uint64_t unstored_ = 0;
  uint64_t incomplete_ = 0;
  totals count_;
  histogram latency_;
};

} // namespace fantail::demo
