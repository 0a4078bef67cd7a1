// SPDX-License-Identifier: MIT
#pragma once

#include "core/backoff.hpp"
#include "core/clock.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fantail {

/// When a child that ended is started again; the words are OTP's.
enum class restart_kind : uint8_t {
  /// Always.
  permanent,
  /// If it failed.
  transient,
  /// Never; it is forgotten when it ends.
  temporary,
};

/// Who is restarted along with a child that failed.
enum class supervision_strategy : uint8_t {
  one_for_one,
  one_for_all,
  /// Those that were started after it.
  rest_for_one,
};

/// How a child ended.
enum class child_end : uint8_t {
  /// No failure: it was told to, or it was done.
  orderly,
  failed,
  /// It failed and will fail again, since what it kept is damaged. Its
  /// supervisor gives up at once.
  hopeless,
};

/// More than `restarts` within `period` are too many.
struct restart_intensity {
  uint32_t restarts = 1;
  duration period = std::chrono::seconds{5};
};

/// A child as data. How it is started is known to whoever carries out what the
/// machine says.
struct child_spec {
  std::string id;
  restart_kind restart = restart_kind::permanent;
  /// How long it may take to end after it was told to; then it is killed.
  /// Zero: it is killed at once.
  duration grace = std::chrono::seconds{5};
  /// Of this child alone, on top of its supervisor's. The default leaves the
  /// judgement to the supervisor.
  restart_intensity intensity{UINT32_MAX, std::chrono::seconds{5}};
};

/// A supervisor as data. Children are started in the order of the list, and
/// stopped in the reverse order.
struct supervisor_spec {
  std::string id;
  supervision_strategy strategy = supervision_strategy::one_for_one;
  restart_intensity intensity;
  /// Pauses before the restarts of one child. The first restart after a
  /// healthy period does not wait.
  backoff_config pause{std::chrono::milliseconds{20}, std::chrono::seconds{5}};
  /// A child that ran for so long starts over with its pauses.
  duration healthy = std::chrono::seconds{10};
  std::vector<child_spec> children;
};

} // namespace fantail
