// SPDX-License-Identifier: MIT
#pragma once

#include "core/inspection/activity.hpp"
#include "core/inspection/actor_journal.hpp"
#include "core/inspection/supervision_board.hpp"
#include "core/inspection/vitals.hpp"

#include <atomic>
#include <string>

namespace fantail {

/// Everything that is known of one actor without asking it, over all of its
/// lives. Belongs to its seat; anybody may read it at any time.
struct actor_record {
  /// Path in the tree: `routing/shard-3`; and that of its supervisor, empty for
  /// the root. Set before anybody else sees the record.
  std::string id;
  std::string supervisor;
  /// Kind of actor as its state calls it: `routing_shard`. Null until it was
  /// started first.
  std::atomic<const char*> kind = nullptr;

  vitals signs;
  actor_journal journal;
  /// Of a supervisor.
  supervision_board board;

  /// Nobody sits at the seat.
  std::atomic<bool> is_vacant = true;
  std::atomic<bool> is_suspended = false;
  /// Messages the seat holds.
  telemetry::counter held;
  /// Bytes its state takes, if `knows_bytes`; published once per second.
  std::atomic<bool> knows_bytes = false;
  telemetry::counter bytes;
};

} // namespace fantail
