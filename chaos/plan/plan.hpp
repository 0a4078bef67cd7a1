// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fantail::chaos {

/// What can be broken. The words of a plan are those of `to_string`.
enum class fault_kind : uint8_t {
  /// An actor of the node ends by an exception or an exit, or its handler
  /// hangs.
  actor_exception,
  actor_exit,
  actor_hang,
  /// A supervisor with everything below it.
  subtree_kill,
  /// One child again and again, until its supervisor gives up.
  intensity_exhaust,
  /// kill -9 of the node, and a new start.
  node_kill,
  /// kill -9 of the nats-server, and a new start.
  server_kill,
  /// SIGSTOP of the nats-server, and SIGCONT.
  server_pause,
  /// The node's connections to the nats-server are cut.
  connection_cut,
  /// The nats-server's disk takes nothing more, and then does again.
  disk_full,
  /// An instance stops reading, and reads again.
  instance_stall,
  /// An instance dies, and comes back.
  instance_kill,
  /// A burst of messages nobody can accept.
  bad_input,
};

inline constexpr size_t fault_kinds = 13;
std::string_view to_string(fault_kind x);
std::optional<fault_kind> fault_kind_of(std::string_view word);

/// Done through the node's admin API, on one of its actors.
bool needs_admin_api(fault_kind x);

/// Takes time that a plan chooses; others are over at once, or when whoever
/// was hit is back.
bool takes_time(fault_kind x);

/// One kind of fault in a plan.
struct plan_fault {
  fault_kind what = fault_kind::node_kill;
  /// How often it is chosen, compared with the others.
  uint32_t weight = 1;
  /// Which actors, or which supervisors if one of them is to be hit, by their
  /// id such as `routing/shard-3`; `*` stands for anything.
  std::string target = "*";
  /// How long it lasts, drawn from here; see `takes_time`.
  duration shortest = std::chrono::milliseconds{500};
  duration longest = std::chrono::milliseconds{500};
  /// Escalations it may cause, by the id of the supervisor that gives up;
  /// `node` is the root, whose end is the node's.
  std::vector<std::string> expects = {};

  bool operator==(const plan_fault&) const = default;
};

/// What a chaos run breaks, and how often.
struct plan {
  std::string name;
  /// Time between two faults, on average; no two are closer than half of it.
  duration interval = std::chrono::seconds{3};
  /// Quiet time before the first fault.
  duration warm_up = std::chrono::seconds{2};
  /// Share of phases in which nothing breaks.
  double quiet = 0.25;
  /// Length of a phase.
  duration phase = std::chrono::seconds{20};
  std::vector<plan_fault> faults;

  bool needs_admin_api() const;
  bool has(fault_kind x) const;
};

/// Reads a plan. `file` is what errors call it: each names file, line and key.
///
///     # comment
///     name = nats
///     interval = 4s  # on average
///
///     [server-pause]
///     weight = 2
///     lasts = 300ms..2s
///     expects = node
std::variant<plan, std::string> parse_plan(std::string_view text,
                                           const std::string& file);

/// A time such as 500ms, 3s or 2min; nothing if it is none.
std::optional<duration> parse_duration(std::string_view text);

/// True if `pattern`, in which `*` stands for anything, describes `text`.
bool matches(std::string_view pattern, std::string_view text);

} // namespace fantail::chaos
