// SPDX-License-Identifier: MIT
#pragma once

#include "actors/ticker.hpp"
#include "app/node_parts.hpp"
#include "app/restore.hpp"
#include "messages/protocol.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// All actors of a node, and which of them know each other. Spawns them in the
/// order in which they need each other, keeps a handle of each, ticks them,
/// and says when one is lost. Used from the thread that starts and stops the
/// node; `adopt` also from an actor that spawns others.
class node_tree {
public:
  struct callbacks {
    /// Presence is exact and routing has begun. From an actor's thread.
    std::function<void()> on_ready;
    /// An actor ended that should not have. From any thread.
    std::function<void(std::string reason)> on_lost;
  };

  /// What the last life of the node left: where the shards go on, and the
  /// state that was written down.
  struct heritage {
    std::vector<nats::shard_checkpoint> checkpoints;
    restored_state restored;
  };

  node_tree(caf::actor_system& system, node_parts& parts, heritage from,
            callbacks on);

  /// Has the logs read. Routing begins by itself, once presence is exact.
  void start_reading();

  /// Brings forward what actors do once a second.
  void hurry();

  /// Ends every actor and forgets it. Nobody may send to them any more.
  void stop();

  /// What the shards and egresses say of themselves; nothing if one of them
  /// does not answer within 2 s. `top` bounds lists.
  std::shared_ptr<inspection> inspect(size_t top) const;

  /// Where events of these channels go; nothing as above.
  std::shared_ptr<route_inspection>
  inspect_routes_of(std::vector<std::string> channels) const;

  const std::vector<egress_actor>& egresses() const { return egresses_; }
  const registrar_actor& instances() const { return instances_; }
  const presence_desk_actor& desk() const { return desk_; }

private:
  /// Keeps a handle for the end, watches over the actor, and ticks it. Any
  /// thread: the registrar has outboxes adopted, and may do so while the node
  /// stops.
  template <class Handle>
  Handle adopt(Handle x, const char* kind, unsigned beats);

  void spawn_egresses();
  void spawn_guard();
  void spawn_shards();
  void spawn_presence();
  void spawn_keeper();
  void spawn_memory_guard();
  void spawn_registrar();
  void spawn_desk();
  puller_actor spawn_puller(nats::log_spec spec, pull_sink_actor sink);
  void spawn_partitioner(const node_parts::opened_source& x);
  void begin_presence();

  caf::actor_system& system_;
  node_parts& parts_;
  const node_config& config_;
  heritage from_;
  callbacks on_;
  std::optional<ticker> clock_;

  std::vector<egress_actor> egresses_;
  std::vector<routing_shard_actor> shards_;
  std::vector<presence_shard_actor> presence_;
  std::vector<puller_actor> pullers_;
  std::vector<puller_actor> presence_pullers_;
  node_guard_actor guard_;
  registrar_actor instances_;
  presence_desk_actor desk_;

  std::atomic<bool> is_stopping_ = false;
  std::mutex mutex_;
  std::vector<caf::actor> actors_;
};

} // namespace fantail
