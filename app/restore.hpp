// SPDX-License-Identifier: MIT
#pragma once

#include "app/node.hpp"
#include "app/node_parts.hpp"
#include "core/membership/membership.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/routing/shard_router.hpp"
#include "core/snapshot/snapshot_rounds.hpp"
#include "core/snapshot/snapshot_writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fantail {

/// What a node starts with instead of replaying its logs from the beginning.
struct restored_state {
  struct ledger {
    /// Nothing: the log is read from its beginning.
    std::shared_ptr<presence_ledger> state;
    std::shared_ptr<membership> members;
    uint64_t version_base = 0;
    /// Where reading goes on, and in which life of the log.
    position read_to;
    std::string created_at;
    /// Routing shards (a mask) that are told everything anew.
    uint64_t resync = 0;
  };

  /// By shard; nothing where no snapshot is good.
  std::vector<std::shared_ptr<shard_router>> routers;
  /// By presence shard.
  std::vector<ledger> ledgers;
  /// The snapshots all this was loaded from.
  std::vector<stored_snapshot> loaded;
};

/// What the configuration says about one presence shard that starts now.
presence_ledger_config ledger_of(const node_config& config, time_point now);
membership_config membership_of(const node_config& config, time_point now);
/// And about writing snapshots.
snapshot_rounds_config snapshot_rounds_of(const node_config& config);

/// Loads the newest good snapshot of every shard, several at a time, and
/// decides where each log is read from. A snapshot that is damaged is
/// reported, and the one before it is taken. Fails only if logs were trimmed
/// and nothing else knows what was in them.
std::variant<restored_state, start_failure> restore(node_parts& parts);

} // namespace fantail
