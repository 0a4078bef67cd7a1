// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What happens in a run, as those saw it who talk to the node: producers,
/// presence sources, instances and the one who breaks things. Events, users,
/// channels, instances and calls are numbers of the run; the names behind them
/// are the runner's affair.
namespace fantail::chaos {

using event_number = uint64_t;
using call_number = uint64_t;
using channel_number = uint32_t;
using user_number = uint32_t;
using session_number = uint32_t;
using instance_number = uint16_t;
using fault_number = uint32_t;

inline constexpr instance_number no_instance = UINT16_MAX;

// -- chat events
// -----------------------------------------------------------------

/// The event is about to be published.
struct publish_called {
  event_number event = 0;
  channel_number channel = 0;
  bool operator==(const publish_called&) const = default;
};

/// The producer has the acknowledgement: the event is stored at `pos`.
struct publish_stored {
  event_number event = 0;
  position pos;
  bool operator==(const publish_stored&) const = default;
};

/// The event was refused for good and is not stored.
struct publish_refused {
  event_number event = 0;
  bool operator==(const publish_refused&) const = default;
};

/// An instance got the event. `epoch` is that of the section it came in, 0 in
/// the format `single`.
struct event_received {
  instance_number instance = 0;
  event_number event = 0;
  shard_id shard;
  fantail::epoch epoch;
  bool operator==(const event_received&) const = default;
};

/// An instance got something nobody published, or not with this content.
struct garbage_received {
  instance_number instance = 0;
  std::string what;
  bool operator==(const garbage_received&) const = default;
};

/// An instance was told that events are lost.
struct loss_reported {
  instance_number instance = 0;
  shard_id shard;
  position from;
  position to;
  bool operator==(const loss_reported&) const = default;
};

// -- presence
// --------------------------------------------------------------------

enum class presence_call_kind : uint8_t { online, offline, set, join, leave };

/// A change of a user's presence is about to be sent. Changes of one user take
/// effect in the order of their calls.
struct presence_called {
  call_number call = 0;
  user_number user = 0;
  presence_call_kind what = presence_call_kind::online;
  session_number session = 0;
  instance_number instance = 0;
  std::vector<channel_number> channels = {};
  bool operator==(const presence_called&) const = default;
};

enum class presence_outcome : uint8_t {
  done,
  rejected,
  /// Nobody answered: it has taken effect, or will.
  unknown,
};

struct presence_answered {
  call_number call = 0;
  presence_outcome outcome = presence_outcome::done;
  bool operator==(const presence_answered&) const = default;
};

/// The node was asked where a user is, from `asked_at` on, and answers now.
struct user_seen {
  user_number user = 0;
  time_point asked_at;
  std::vector<std::pair<session_number, instance_number>> sessions = {};
  bool operator==(const user_seen&) const = default;
};

/// Fantail ended the sessions of an instance because it was silent.
struct sessions_lapsed {
  instance_number instance = 0;
  bool operator==(const sessions_lapsed&) const = default;
};

// -- the world
// -------------------------------------------------------------------

/// An instance can, or can no longer, receive: its process or its connection
/// came or went, or it stopped reading.
struct link_changed {
  instance_number instance = 0;
  bool is_up = false;
  bool operator==(const link_changed&) const = default;
};

/// A life of the node ended, or one is ready.
struct node_changed {
  bool is_up = false;
  bool operator==(const node_changed&) const = default;
};

enum class fault_phase : uint8_t {
  /// It begins now.
  on,
  /// What was taken away is back; recovery counts from here.
  off,
  /// It could not be done; nothing happened.
  skipped,
};

struct fault_marked {
  fault_number fault = 0;
  fault_phase phase = fault_phase::on;
  /// The kind of fault, as in the plan.
  std::string kind = {};
  std::string target = {};
  /// The only instance that notices, if there is one.
  instance_number instance = no_instance;
  bool operator==(const fault_marked&) const = default;
};

/// A supervisor gave up, or the node ended by itself. `is_expected` is what
/// the plan says about it.
struct escalation_seen {
  std::string what;
  bool is_expected = false;
  bool operator==(const escalation_seen&) const = default;
};

/// What the node counts. `is_exact`: it has counted from the beginning, so it
/// has to agree with the history.
struct counter_read {
  enum class kind : uint8_t {
    /// Chat events that were handled, whoever they went to.
    events,
    users,
    sessions,
  };
  kind what = kind::events;
  uint64_t value = 0;
  bool is_exact = false;
  bool operator==(const counter_read&) const = default;
};

/// What the node's process takes at the moment.
struct usage_seen {
  uint64_t resident_bytes = 0;
  uint64_t open_files = 0;
  bool operator==(const usage_seen&) const = default;
};

/// Everything was waited for; the last record of a whole history.
struct run_ended {
  bool operator==(const run_ended&) const = default;
};

using record
    = std::variant<publish_called, publish_stored, publish_refused,
                   event_received, garbage_received, loss_reported,
                   presence_called, presence_answered, user_seen,
                   sessions_lapsed, link_changed, node_changed, fault_marked,
                   escalation_seen, counter_read, usage_seen, run_ended>;

/// A record and its time on CLOCK_MONOTONIC. All processes of one machine
/// share that clock, and records are taken in its order.
struct timed_record {
  time_point at;
  record what;
  bool operator==(const timed_record&) const = default;
};

/// The first line of a history: what was run, and how to run it again.
struct history_head {
  std::string build;
  std::string plan;
  uint64_t seed = 0;
  /// Format of each instance.
  std::vector<delivery_format> formats = {};
  /// `key=value`: whatever else the run depended on.
  std::vector<std::string> settings = {};
  bool operator==(const history_head&) const = default;
};

} // namespace fantail::chaos
