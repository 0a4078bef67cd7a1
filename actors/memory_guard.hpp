// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/memory_gate.hpp"
#include "messages/protocol.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace fantail {

/// Watches the memory of the process, and tells the presence shards when new
/// sessions have to be refused. Routing never stops for it.
struct memory_guard_deps {
  environment env;
  uint64_t limit_bytes = 0;
  /// Resident bytes of the process.
  std::function<uint64_t()> measure;
  /// Gives back to the system what the allocator holds; may take a while.
  std::function<void()> trim;
  std::vector<presence_shard_actor> presence;
};

struct memory_guard_state {
  static inline const char* name = "memory_guard";
  using handle = component_actor;

  component_actor::pointer self = nullptr;
  memory_guard_deps deps;
  std::optional<memory_gate> gate;
  time_point next_sample{};
  time_point next_trim{};

  void start(memory_guard_deps x);
  void recover() {}
  void on_tick(const tick& x);
};

component_actor::behavior_type
memory_guard(component<component_actor, memory_guard_state>* self,
             memory_guard_deps deps);

} // namespace fantail
