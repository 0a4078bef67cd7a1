// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/fault_log.hpp"
#include "chaos/checker/usage_log.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::chaos {

/// What must not happen.
enum class violation : uint8_t {
  /// An instance did not get an event it had to get.
  lost,
  out_of_order,
  /// An instance got an event of a channel nobody on it was in.
  excess,
  repeated,
  /// An event came under an epoch that was over.
  stale_epoch,
  /// Somebody got what nobody published.
  garbage,
  /// An instance was told of a loss.
  loss_reported,
  presence_wrong,
  counter_wrong,
  unexpected_escalation,
  /// The node's memory or open files became more.
  growth,
};

inline constexpr size_t violation_kinds = 11;
std::string_view to_string(violation x);

enum class verdict : uint8_t {
  passed,
  failed,
  /// Nothing was found, but too little was looked at.
  invalid,
};

std::string_view to_string(verdict x);

/// What the checker found in a history.
struct findings {
  struct example {
    violation what;
    time_point at;
    std::string text;
  };

  uint64_t published = 0;
  uint64_t stored = 0;
  uint64_t deliveries = 0;
  /// Pairs of an event and an instance: those that were decided, and those of
  /// which either would have been right.
  uint64_t decided = 0;
  uint64_t undecided = 0;
  /// Published before a user of the instance asked to join; permitted.
  uint64_t early = 0;
  /// Repeats and disorder in the format `single` that a fault explains.
  uint64_t repeats_permitted = 0;
  uint64_t disorder_permitted = 0;
  /// Of the lost ones: how often an instance got later events. The others may
  /// only have been slow.
  uint64_t lost_in_the_middle = 0;
  uint64_t presence_calls = 0;
  uint64_t users_asked = 0;
  uint64_t counters_compared = 0;
  bool is_whole = false;
  std::array<uint64_t, violation_kinds> violations{};
  /// The first few violations.
  std::vector<example> examples;
  std::map<std::string, recovery_summary> recoveries;
  /// Of faults of actors, by who was hit.
  std::map<std::string, recovery_summary> actors;
  /// Delays from the publish to the delivery while nothing was broken.
  duration calm_p50{};
  duration calm_p99{};
  std::vector<std::string> escalations;
  usage_range resident_bytes;
  usage_range open_files;

  uint64_t count(violation x) const {
    return violations[static_cast<size_t>(x)];
  }
  double decided_share() const;
  /// Why nothing can be concluded, or empty.
  std::string invalid_because(double decided_min) const;
};

} // namespace fantail::chaos
