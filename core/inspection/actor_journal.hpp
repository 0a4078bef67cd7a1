// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// What happened to an actor lately: the last 32 events, and how its last life
/// ended. Thread safe; written a few times per failure.
class actor_journal {
public:
  static constexpr size_t events_max = 32;

  enum class kind : uint8_t {
    started,
    failed,
    /// In order.
    ended,
    restarted,
    /// By an operator.
    killed,
    suspended,
    resumed,
    stuck,
    unstuck,
    /// A supervisor: restarts did not help.
    gave_up,
  };

  struct event {
    /// Wall clock, ns.
    int64_t at_unix_ns = 0;
    kind what = kind::started;
    /// A cause, a mode, a type of message; may be empty.
    std::string detail;
  };

  struct summary {
    uint64_t starts = 0;
    /// Since when it runs; 0 if it does not.
    int64_t running_since_unix_ns = 0;
    /// Why and when it ended last; empty and 0 if it never did.
    std::string last_cause;
    int64_t last_end_unix_ns = 0;
  };

  /// `started` becomes `restarted` if it is not the first one.
  void add(kind what, int64_t at_unix_ns, std::string detail = {}) {
    std::lock_guard guard{mutex_};
    note(what, at_unix_ns, detail);
    if (what == kind::started && summary_.starts > 1)
      what = kind::restarted;
    if (events_.size() == events_max)
      events_.pop_front();
    events_.push_back({at_unix_ns, what, std::move(detail)});
  }

  summary sum_up() const {
    std::lock_guard guard{mutex_};
    return summary_;
  }

  /// Oldest first.
  std::vector<event> events() const {
    std::lock_guard guard{mutex_};
    return {events_.begin(), events_.end()};
  }

private:
  void note(kind what, int64_t at_unix_ns, const std::string& detail) {
    if (what == kind::started) {
      ++summary_.starts;
      summary_.running_since_unix_ns = at_unix_ns;
    } else if (what == kind::failed || what == kind::ended) {
      summary_.running_since_unix_ns = 0;
      summary_.last_end_unix_ns = at_unix_ns;
      summary_.last_cause = detail;
    }
  }

  mutable std::mutex mutex_;
  summary summary_;
  std::deque<event> events_;
};

constexpr std::string_view to_string(actor_journal::kind x) {
  constexpr std::string_view names[]{
      "started",   "failed",  "ended", "restarted", "killed",
      "suspended", "resumed", "stuck", "unstuck",   "gave-up"};
  return names[static_cast<size_t>(x)];
}

} // namespace fantail
