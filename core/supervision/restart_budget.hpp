// SPDX-License-Identifier: MIT
#pragma once

#include "core/supervision/child_spec.hpp"

#include <deque>

namespace fantail {

/// Counts restarts within a sliding period, as OTP does: a restart that is
/// exactly one period old still counts. Not thread safe.
///
/// Invariant: remembers at most `restarts` + 1 times.
class restart_budget {
public:
  explicit restart_budget(restart_intensity limit) : limit_(limit) {}

  /// Spends one restart. Returns false if that is one too many.
  bool spend(time_point now) {
    if (limit_.restarts == UINT32_MAX)
      return true;
    forget_old(now);
    if (spent_.size() > limit_.restarts)
      spent_.pop_front();
    spent_.push_back(now);
    return spent_.size() <= limit_.restarts;
  }

  /// Restarts that count at `now`.
  size_t used(time_point now) {
    forget_old(now);
    return spent_.size();
  }

  const restart_intensity& limit() const noexcept { return limit_; }

private:
  void forget_old(time_point now) {
    while (!spent_.empty() && now - spent_.front() > limit_.period)
      spent_.pop_front();
  }

  restart_intensity limit_;
  std::deque<time_point> spent_;
};

} // namespace fantail
