// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <string_view>

namespace fantail {

/// What an actor is doing, as operators see it.
enum class activity : uint8_t {
  /// It handles nothing now.
  idle,
  busy,
  /// It has handled one message for too long.
  stuck,
  /// It gets no messages until it is resumed.
  suspended,
  /// It does not run; its supervisor is about to start it.
  away,
  /// It is done, and will not be started again.
  ended,
};

constexpr std::string_view to_string(activity x) {
  constexpr std::string_view names[]{"idle",      "busy", "stuck",
                                     "suspended", "away", "ended"};
  return names[static_cast<size_t>(x)];
}

/// What there is to see of an actor.
struct activity_signs {
  /// Since when it handles its message, steady ns; 0 if it handles none.
  int64_t busy_since_ns = 0;
  bool is_vacant = false;
  bool is_suspended = false;
  bool is_ended = false;
};

/// Beyond this a handler is not slow, it hangs: the longest known, to copy a
/// table of 100 million memberships for a snapshot, takes half of it.
inline constexpr duration stuck_after = std::chrono::seconds{1};

constexpr activity activity_of(const activity_signs& x, int64_t now_ns) {
  if (x.is_ended)
    return activity::ended;
  if (x.is_vacant)
    return activity::away;
  auto is_busy = x.busy_since_ns != 0;
  if (is_busy && now_ns - x.busy_since_ns > stuck_after.count())
    return activity::stuck;
  if (x.is_suspended)
    return activity::suspended;
  return is_busy ? activity::busy : activity::idle;
}

/// Watches one actor, so that each message it gets stuck in is told once, and
/// its end as well. Not thread safe.
class stuck_watch {
public:
  enum class news : uint8_t { none, stuck, unstuck };

  news look(const activity_signs& x, int64_t now_ns) {
    auto is_stuck = activity_of(x, now_ns) == activity::stuck;
    if (since_ns_ != 0 && (!is_stuck || x.busy_since_ns != since_ns_)) {
      since_ns_ = 0;
      return news::unstuck;
    }
    if (!is_stuck || since_ns_ != 0)
      return news::none;
    since_ns_ = x.busy_since_ns;
    return news::stuck;
  }

  bool is_stuck() const noexcept { return since_ns_ != 0; }

private:
  /// When the message began that was told; 0 if none.
  int64_t since_ns_ = 0;
};

} // namespace fantail
