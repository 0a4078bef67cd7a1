// SPDX-License-Identifier: MIT
#pragma once

#include "core/supervision/supervisor_machine.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// What a supervisor says of its children, for others to read while it works
/// or hangs. It writes whenever something changes, and once per second, since
/// what was spent of an intensity is forgotten with time. Thread safe.
class supervision_board {
public:
  struct child_row {
    std::string id;
    restart_kind restart = restart_kind::permanent;
    supervisor_machine::child_phase phase{};
    /// When it may be started, if it waits.
    time_point due{};
    std::string last_cause;
  };

  struct state {
    supervision_strategy strategy = supervision_strategy::one_for_one;
    restart_intensity intensity;
    size_t recent_restarts = 0;
    std::vector<child_row> children;
  };

  void write(state x) {
    std::lock_guard guard{mutex_};
    state_ = std::move(x);
  }

  state read() const {
    std::lock_guard guard{mutex_};
    return state_;
  }

private:
  mutable std::mutex mutex_;
  state state_;
};

/// What `machine` has to say at `now`.
supervision_board::state board_of(supervisor_machine& machine, time_point now);

constexpr std::string_view to_string(supervisor_machine::child_phase x) {
  constexpr std::string_view names[]{"absent",  "waiting", "starting",
                                     "running", "doomed",  "stopping",
                                     "killing"};
  return names[static_cast<size_t>(x)];
}

constexpr std::string_view to_string(supervision_strategy x) {
  constexpr std::string_view names[]{"one_for_one", "one_for_all",
                                     "rest_for_one"};
  return names[static_cast<size_t>(x)];
}

constexpr std::string_view to_string(restart_kind x) {
  constexpr std::string_view names[]{"permanent", "transient", "temporary"};
  return names[static_cast<size_t>(x)];
}

} // namespace fantail
