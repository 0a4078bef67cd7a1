// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "messages/protocol.hpp"

#include <functional>

namespace fantail {

/// Lets the shards read once presence is exact: an event that is routed before
/// the table knows everybody who is online would miss somebody.
struct node_guard_deps {
  environment env;
  /// Logs that have to be replayed before routing begins.
  size_t replays = 0;
  std::function<void()> on_ready;
};

struct node_guard_state {
  static inline const char* name = "node_guard";

  node_guard_deps deps;
  size_t replayed = 0;
};

node_guard_actor::behavior_type
node_guard(node_guard_actor::stateful_pointer<node_guard_state> self,
           node_guard_deps deps);

} // namespace fantail
