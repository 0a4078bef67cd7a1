// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/snapshot/snapshot_rounds.hpp"
#include "core/token_bucket.hpp"
#include "messages/protocol.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Has the shards' states written down, one at a time and in the background,
/// and trims the logs behind them. Nothing waits for it.
///
///     snapshot_keeper ─take_snapshot─► shard ─snapshot_taken─► snapshot_keeper
///     snapshot_keeper ─parts─► snapshot_store_port
struct snapshot_keeper_deps {
  environment env;
  snapshot_store_port* store = nullptr;
  snapshot_rounds_config rounds;
  std::vector<presence_shard_actor> presence;
  std::vector<routing_shard_actor> routing;
  /// Those the node started with.
  std::vector<stored_snapshot> loaded;
  /// Ids count from here; another number for every life of a node.
  uint64_t first_id = 0;
};

struct snapshot_keeper_state {
  static inline const char* name = "snapshot_keeper";
  using handle = snapshot_keeper_actor;

  snapshot_keeper_actor::pointer self = nullptr;
  snapshot_keeper_deps deps;
  std::optional<snapshot_rounds> rounds;
  std::optional<token_bucket> rate;
  /// The shard whose turn it is, and the memory that is prepared for it.
  snapshot_source taking;
  std::shared_ptr<std::vector<std::string>> buffers;
  size_t buffers_wanted = 0;
  /// The snapshot being written.
  std::optional<snapshot_writer> writer;
  uint64_t next_id = 0;
  std::vector<log_growth> growth;
  time_point now{};
  time_point next_second{};

  void start(snapshot_keeper_deps x);
  void recover();
  void on_growth(const log_growth& x);
  void on_taken(const snapshot_taken& x);
  void on_stored(const part_stored& x);
  void on_prepare();
  void on_tick(const tick& x);

private:
  void begin_next();
  void write();
  void give_up(std::string reason);
  void finish();
  void publish_counts();
};

snapshot_keeper_actor::behavior_type
snapshot_keeper(component<snapshot_keeper_actor, snapshot_keeper_state>* self,
                snapshot_keeper_deps deps);

} // namespace fantail
