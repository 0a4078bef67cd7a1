// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/snapshot_writer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// A presence log as a starting node finds it.
struct found_log {
  std::string created_at;
  /// 0 and 0 for an empty one; first is last + 1 if everything is trimmed.
  uint64_t first = 0;
  uint64_t last = 0;
};

/// How one presence shard starts, and what that means for the routing shards.
struct presence_start {
  /// Index into the snapshots it was planned with; nothing: the ledger starts
  /// empty and reads its log from the beginning.
  std::optional<size_t> snapshot;
  /// Routing shards whose knowledge of this presence shard belongs to another
  /// life of the log: they forget it.
  std::vector<shard_id> outdated;
  /// Routing shards that lack changes which are in no log any more: they can
  /// only be told everything anew.
  std::vector<shard_id> resync;
  /// The start of the log is gone, and with it what was in it.
  bool is_lost = false;
};

/// Decides with which of its snapshots (newest first) a presence shard
/// starts. `known` is what each routing shard knows of its log.
///
/// A ledger may start at L if its log still has everything behind L and no
/// routing shard lacks anything up to L: then the log tells all of them what
/// they have missed. The newest such L is taken.
presence_start plan_presence_start(presence_shard_id shard,
                                   const found_log& log,
                                   const std::vector<stored_snapshot>& ledgers,
                                   const std::vector<log_progress>& known);

} // namespace fantail
