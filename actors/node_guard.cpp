// SPDX-License-Identifier: MIT
#include "actors/node_guard.hpp"

#include <utility>

namespace fantail {

void node_guard_state::start_exact() {
  if (!knows_instances)
    return;
  for (auto shard : std::exchange(exact, {})) {
    deps.start_routing(shard);
    if (++started == deps.shards)
      deps.on_ready();
  }
}

node_guard_actor::behavior_type
node_guard(component<node_guard_actor, node_guard_state>* self,
           node_guard_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { sample_wait(state.deps.env, state.name, x); },
      [](const inspect_node&) {
        // It holds nothing.
      },
      [&state](const table_exact& x) {
        state.exact.push_back(x.shard);
        state.start_exact();
      },
      [&state](const instances_replayed&) {
        state.knows_instances = true;
        state.start_exact();
      },
  };
}

} // namespace fantail
