// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/limits.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// Sessions that were refused for want of memory, until the log says so. The
/// log is the truth, and a replay applies what was refused; therefore an
/// `expire` of the session is appended behind it, repeated until it is read
/// back, and only then the refusal is answered. So a refused session never
/// comes alive after a restart.
///
/// Bound: limits::refusals_pending_max; whoever meets is_full() reads no
/// further. Not thread safe.
class refusals {
public:
  struct refusal {
    /// The refused record; the `expire` is appended only if it is still the
    /// user's newest.
    log_position version;
    std::string reply_to;
  };
  /// What to append.
  struct due_expire {
    std::string user;
    std::string session;
    log_position version;
  };

  explicit refusals(duration repeat_after = std::chrono::seconds{2})
      : repeat_after_(repeat_after) {}

  /// A session was refused, perhaps again: then the newer refusal counts.
  void add(std::string user, std::string session, refusal x);

  /// The user's newest record is another one now.
  void saw(std::string_view user, log_position newest);

  /// The log says that the session is over, or that it lives after all.
  std::optional<refusal> settled(std::string_view user,
                                 std::string_view session);

  /// Appends what has to be appended now, again after `repeat_after`.
  void take_due(time_point now, std::vector<due_expire>& out);

  bool empty() const noexcept { return pending_.empty(); }
  size_t size() const noexcept { return pending_.size(); }
  bool is_full() const noexcept {
    return pending_.size() >= limits::refusals_pending_max;
  }

private:
  struct entry {
    refusal what;
    std::optional<time_point> appended_at;
  };
  using key = std::pair<std::string, std::string>;

  duration repeat_after_;
  std::map<key, entry> pending_;
};

} // namespace fantail
