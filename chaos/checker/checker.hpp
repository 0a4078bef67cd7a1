// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/fault_log.hpp"
#include "chaos/checker/findings.hpp"
#include "chaos/checker/membership.hpp"
#include "chaos/checker/usage_log.hpp"
#include "chaos/checker/user_states.hpp"
#include "chaos/history/record.hpp"

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace fantail::chaos {

struct checker_config {
  /// Format of each instance.
  std::vector<delivery_format> formats;
  /// For so long after a user has left, events may still come.
  duration grace = std::chrono::milliseconds{200};
  /// A stored event that did not come in this time is lost.
  duration patience = std::chrono::seconds{120};
  /// Complete events are remembered for so long after they came last, to tell
  /// a repeat.
  duration memory = std::chrono::seconds{10};
  /// What an instance of the format `single` got this long before a fault may
  /// come again: a checkpoint's second, and what was on its way.
  duration repeat_window = std::chrono::seconds{2};
  /// With a smaller share of decided pairs a run is invalid.
  double decided_min = 0.9;
};

/// Judges a history: who had to receive what, who must not, in which order,
/// and whether they did (docs/GUARANTEES.md). It knows the promises and
/// nothing of how they are kept: it shares no code with the router.
///
/// An instance *has to* receive a stored event if from the call of the publish
/// to its acknowledgement some of its users surely were in the channel. It
/// *must not* if between them, with the grace, nobody may have been; what is
/// published before somebody joins and comes after that is early, not wrong.
/// Any other pair is undecided, and so is one whose event may be under way when
/// the link of an instance of the format `single` goes down, since the server
/// keeps nothing for it; or when a node ends or is ready and the users have
/// left, since departures live as long as a node.
///
/// Feed it records in their order. Pure and not thread safe; its memory is
/// bounded by what happens within `patience`.
class checker {
public:
  explicit checker(checker_config config);

  void take(const timed_record& x);

  /// The history is over: whatever is missing is lost.
  void finish();

  double decided_min() const noexcept { return config_.decided_min; }

  findings result() const;
  verdict judge() const;

  /// Stored events that have not come everywhere.
  uint64_t lag() const noexcept { return incomplete_; }
  const findings& so_far() const noexcept { return found_; }
  /// Since the last fault nothing that was published later has come.
  bool awaits_recovery() const { return faults_.awaits_first(); }

private:
  struct receipt {
    instance_number instance;
    time_point at;
  };

  struct arrival {
    event_number event;
    bool has_order;
    time_point at;
  };

  struct event_state {
    channel_number channel = 0;
    time_point called;
    /// The newest record of it.
    time_point touched;
    std::optional<time_point> stored_at;
    position pos;
    bool is_known = false;
    bool is_refused = false;
    std::vector<instance_number> awaited = {};
    std::vector<receipt> received = {};

    bool is_settled() const { return is_refused || stored_at.has_value(); }
    bool is_complete() const { return is_settled() && awaited.empty(); }
  };

  struct instance_state {
    bool is_up = true;
    /// When the link came back.
    time_point up_at;
    std::map<shard_id, epoch> epochs;
    /// Call of the newest event it received.
    time_point newest;
  };

  using key = std::pair<channel_number, instance_number>;

  void on(const publish_called& x);
  void on(const publish_stored& x);
  void on(const publish_refused& x);
  void on(const event_received& x);
  void on(const garbage_received& x);
  void on(const loss_reported& x);
  void on(const presence_called& x);
  void on(const presence_answered& x);
  void on(const user_seen& x);
  void on(const sessions_lapsed& x);
  void on(const link_changed& x);
  void on(const node_changed& x);
  void on(const fault_marked& x);
  void on(const escalation_seen& x);
  void on(const counter_read& x);
  void on(const usage_seen& x);
  void on(const run_ended& x);

  void apply(const place_changes& x);
  event_state* find(event_number number);
  bool is_known(instance_number instance);
  void take_first(event_number number, event_state& event,
                  const event_received& x);
  void take_repeat(const event_state* event, const event_received& x,
                   time_point first);
  void judge_unexpected(const event_state& event, const event_received& x);
  void compare(const place& where);
  void forgive(event_state& event, instance_number instance);
  /// Awaited, and not overdue.
  bool may_be_under_way(const event_state& event,
                        instance_number instance) const;
  void lose(event_number number, event_state& event);
  void retire();
  void complain(violation what, std::string text);
  bool is_single(instance_number x) const {
    return config_.formats[x] == delivery_format::single;
  }

  checker_config config_;
  time_point now_;
  user_states users_;
  membership members_;
  fault_log faults_;
  usage_log usage_;
  std::vector<instance_state> instances_;
  /// Since when there is no node.
  std::optional<time_point> node_down_at_;
  /// Events from number `first_` on.
  std::deque<event_state> events_;
  event_number first_ = 0;
  /// Published and neither stored nor refused, by channel.
  std::map<channel_number, std::vector<event_number>> unsettled_;
  /// Received and not yet compared, since a position is unknown.
  std::map<key, std::deque<arrival>> uncompared_;
  uint64_t incomplete_ = 0;
  findings found_;
};

} // namespace fantail::chaos
