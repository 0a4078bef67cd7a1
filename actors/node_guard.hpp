// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "messages/protocol.hpp"

#include <functional>
#include <vector>

namespace fantail {

/// Lets a shard read once its table is exact and the instances are known: an
/// event that is routed before the table knows everybody who is online would
/// miss somebody. Shards do not wait for each other.
struct node_guard_deps {
  environment env;
  /// Shards that will route.
  size_t shards = 0;
  std::function<void(shard_id)> start_routing;
  /// All of them do.
  std::function<void()> on_ready;
};

struct node_guard_state {
  static inline const char* name = "node_guard";
  using handle = node_guard_actor;

  node_guard_actor::pointer self = nullptr;
  node_guard_deps deps;
  bool knows_instances = false;
  /// Exact, and not started yet.
  std::vector<shard_id> exact;
  size_t started = 0;

  void start(node_guard_deps x) { deps = std::move(x); }
  /// A shard may have been started or not.
  void recover() { throw state_damaged("it failed amid a message"); }
  void start_exact();
};

node_guard_actor::behavior_type
node_guard(component<node_guard_actor, node_guard_state>* self,
           node_guard_deps deps);

} // namespace fantail
