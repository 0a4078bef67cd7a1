// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "actors/outbox_spawner.hpp"
#include "core/instance_watch.hpp"
#include "messages/protocol.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Knows the instances: reads their registrations, admits them at the egress
/// that serves them, and passes on what they say.
///
///     FANTAIL_INSTANCES ─► registrar ─admit_instance─► egress
///     registrar ◄─instance_admitted─ egress      (then answers `registered`)
///     heartbeats, acknowledgements, ranges ─► registrar ─► presence shards,
///                                                          egress, outbox
///
/// Notices when a `frame` instance falls silent, and tells it when it is back
/// whether its sessions have ended meanwhile.
struct registrar_deps {
  environment env;
  std::vector<egress_actor> egresses;
  std::vector<presence_shard_actor> presence;
  node_guard_actor guard;
  /// Starts the actor that serves ranges to one instance.
  outbox_spawner spawn_outbox;
  uint16_t shards = 0;
  uint16_t presence_shards = 0;
  uint32_t heartbeat_ms = 0;
  instance_watch::config watch;
  uint32_t frame_bytes_max = 0;
};

struct registrar_state {
  static inline const char* name = "registrar";
  using handle = registrar_actor;

  struct known_instance {
    instance_profile profile;
    outbox_actor outbox;
    /// The newest life that left on purpose.
    std::string left;
  };

  registrar_actor::pointer self = nullptr;
  registrar_deps deps;
  puller_actor source;
  std::optional<position> replay_to;
  position read_to;
  bool is_replayed = false;
  std::unordered_map<uint16_t, known_instance> instances;
  /// Heard of since the last time presence was told.
  std::vector<instance_index> seen;
  std::optional<instance_watch> watch;
  std::vector<instance_index> died;
  time_point next_second{};
  time_point ticked{};

  void start(registrar_deps x);
  /// What was half done cannot be told apart.
  void recover() { throw state_damaged("it failed amid a message"); }
  void on_pulled(const pulled& x);
  void on_found(const log_found& x);
  void on_admitted(const instance_admitted& x);
  void on_spoke(const instance_spoke& x);
  void on_link(const link_changed& x);
  void on_tick(const tick& x);
  void on_inspect(const inspect_node& x);

private:
  void apply(const chat_event& record);
  void admit(instance_index index, const register_instance& life,
             std::string_view instance);
  void leave(instance_index index, const deregister_instance& life);
  void send_admission(instance_index index, instance_profile profile,
                      std::string reply_to, life_start start);
  void hear(instance_index index);
  void renew_everybody();
  void tell_seen();
  void refuse(const chat_event& record, const std::string& reply_to,
              control_reject reason, std::string_view detail);
  void on_heartbeat(std::optional<instance_index> index,
                    const instance_spoke& x);
  void on_ack(instance_index index, const instance_spoke& x);
  void on_range(std::optional<instance_index> index, const instance_spoke& x);
  void bury(const instance_spoke& x, std::string_view source,
            control_reject reason, std::string_view detail);
  void check_replayed();
  bool is_of_old_life(instance_index index,
                      const std::string& incarnation) const;
};

registrar_actor::behavior_type
registrar(component<registrar_actor, registrar_state>* self,
          registrar_deps deps);

} // namespace fantail
