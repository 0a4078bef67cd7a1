// SPDX-License-Identifier: MIT
#include "actors/node_guard.hpp"

#include "actors/component.hpp"

namespace fantail {

node_guard_actor::behavior_type
node_guard(node_guard_actor::stateful_pointer<node_guard_state> self,
           node_guard_deps deps) {
  install_handlers(self, deps.env);
  auto& state = self->state;
  state.deps = std::move(deps);
  return {
      [&state](const tick& x) { sample_wait(state.deps.env, state.name, x); },
      [](const inspect_node&) {
        // It holds nothing.
      },
      [&state](const log_replayed&) {
        if (++state.replayed == state.deps.replays)
          state.deps.on_ready();
      },
  };
}

} // namespace fantail
