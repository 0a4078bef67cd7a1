// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"
#include "core/histogram.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fantail::chaos {

/// How long the faults of one kind were felt.
struct recovery_summary {
  uint64_t faults = 0;
  uint64_t skipped = 0;
  /// Those whose recovery could be told.
  std::vector<duration> recoveries = {};

  /// The smallest recovery not below a share `q` of all; 0 without any.
  duration quantile(double q) const;
};

/// When something was broken, and when everything flowed again.
///
/// Events flow from each shard to each instance. Recovery is the time from the
/// end of a fault (what was taken away is back; at once for a kill) to the
/// first delivery of an event published after that end, or the longest delay of
/// one that was published within `aftermath` or is the first of its shard and
/// instance, whichever is longer. (A kill that is asked for strikes a moment
/// later; and as long as nobody can publish, no event is delayed.) A further
/// fault ends the measurement, unless nothing has flowed by then (the outage is
/// that of the first fault, and the further one is not measured), or only one
/// instance notices it; that instance is then left out.
///
/// Pure and not thread safe.
class fault_log {
public:
  /// Pairs that deliver nothing for so long are left out.
  static constexpr duration patience = std::chrono::seconds{60};
  static constexpr duration aftermath = std::chrono::milliseconds{250};
  /// So long after the last fault a delay counts as undisturbed.
  static constexpr duration calm_after = std::chrono::seconds{2};

  void take(const fault_marked& x, time_point now);

  /// An instance got an event it had to get, for the first time.
  void delivered(shard_id shard, instance_number instance, time_point published,
                 time_point now);

  /// Nothing was delivered since the end of a fault, or it has not ended.
  bool awaits_first() const;

  /// Ends all measurements.
  void finish();

  /// Whether a fault lies between two moments, as far as what was not settled
  /// `window` before it comes to `instance` again or in another order.
  bool explains(instance_number instance, time_point first, time_point now,
                duration window) const;

  /// Whether what was stored at `stored` may not have been delivered yet: it
  /// takes `window`, and a fault that meets it on its way adds what it lasts
  /// and as much again.
  bool may_be_under_way(time_point stored, time_point now,
                        duration window) const;

  const std::map<std::string, recovery_summary>& kinds() const {
    return kinds_;
  }

  /// The same of faults of actors, by who was hit: "routing/shard-*, exit".
  const std::map<std::string, recovery_summary>& actors() const {
    return actors_;
  }

  /// Delays from the publish to the delivery, in ns, while nothing was broken.
  const histogram& calm() const { return calm_; }

private:
  struct fault {
    fault_number number;
    std::string kind;
    std::string target;
    instance_number instance;
    time_point on;
    std::optional<time_point> off;
    /// Something has to flow again before it is over.
    bool is_outage = false;

    std::optional<time_point> end() const {
      return is_outage ? std::nullopt : off;
    }
  };

  struct measurement {
    fault_number number;
    std::string kind;
    std::string target;
    instance_number instance;
    time_point off;
    duration longest{};
    std::set<std::pair<shard_id, instance_number>> seen = {};
    std::set<instance_number> left_out = {};
  };

  void begin(fault& x);
  bool is_calm(time_point published) const;
  void end(const measurement& x);

  std::vector<fault> faults_;
  std::vector<measurement> open_;
  std::map<std::string, recovery_summary> kinds_;
  std::map<std::string, recovery_summary> actors_;
  histogram calm_;
  /// When something was delivered for the first time since the last fault.
  time_point flows_since_;
};

} // namespace fantail::chaos
