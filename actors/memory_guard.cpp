// SPDX-License-Identifier: MIT
#include "actors/memory_guard.hpp"

#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

constexpr auto sample_interval = 250ms;
constexpr auto trim_interval = 5s;

} // namespace

void memory_guard_state::start(memory_guard_deps x) {
  gate.emplace(x.limit_bytes);
  deps = std::move(x);
}

void memory_guard_state::on_tick(const tick& x) {
  sample_wait(deps.env, name, x);
  if (x.now < next_sample)
    return;
  next_sample = x.now + sample_interval;
  auto used = deps.measure();
  // What was freed is resident until the allocator gives it back.
  if (used >= deps.limit_bytes - deps.limit_bytes / 20 && x.now >= next_trim) {
    next_trim = x.now + trim_interval;
    deps.trim();
    used = deps.measure();
  }
  if (!gate->sample(used))
    return;
  auto is_short = gate->is_short();
  deps.env.counts->memory_short.set(is_short ? 1 : 0);
  deps.env.reports->warn(
      name, is_short ? "memory-limit-reached" : "memory-limit-left",
      {{"resident_mib", std::to_string(used >> 20)},
       {"limit_mib", std::to_string(deps.limit_bytes >> 20)}});
  for (auto& shard : deps.presence)
    self->send(shard, memory_state{is_short});
}

component_actor::behavior_type
memory_guard(component<component_actor, memory_guard_state>* self,
             memory_guard_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // The metrics show the memory.
      },
  };
}

} // namespace fantail
