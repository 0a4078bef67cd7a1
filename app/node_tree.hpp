// SPDX-License-Identifier: MIT
#pragma once

#include "actors/place.hpp"
#include "actors/seat_control.hpp"
#include "actors/ticker.hpp"
#include "app/node_parts.hpp"
#include "app/restore.hpp"
#include "messages/protocol.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// All actors of a node, and which of them know each other: declares the tree
/// of supervisors and children, wires them by their places, and ticks them. A
/// child that is lost comes back at its place. Used from the thread that starts
/// and stops the node; `add` also from an actor that needs another one.
///
///     node ─┬─ delivery   egresses
///           ├─ routing    routing shards and their pullers
///           ├─ presence   presence shards and their pullers
///           ├─ outboxes   an outbox per instance
///           └─ edge       registrar, desk, keeper, guards, partitioners
class node_tree {
public:
  struct callbacks {
    /// Presence is exact and routing has begun. From an actor's thread.
    std::function<void()> on_ready;
    /// The root supervisor gave up. From any thread.
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

  /// The same of sessions and instances alone.
  std::shared_ptr<inspection> inspect_instances() const;
  /// The first channels of each shard; where an event of one channel goes and
  /// why; where one user is. Nothing as above.
  std::optional<std::vector<shard_ranking>> rank_channels(channel_order order,
                                                          size_t top) const;
  std::optional<route_explanation>
  explain_route_of(const std::string& channel) const;
  std::optional<user_explanation>
  explain_user_of(const std::string& user) const;

  /// Reaches the actors by their paths.
  actor_control_port& control() { return control_; }

  const std::vector<egress_actor>& egresses() const { return egresses_; }
  const registrar_actor& instances() const { return instances_; }
  const presence_desk_actor& desk() const { return desk_; }

private:
  /// A supervisor below the root, and what it starts. The list grows with
  /// time, so that a supervisor that is started again knows everybody.
  struct branch {
    supervisor_spec spec;
    place seat;
    std::vector<supervised_child> children;
  };

  branch& grow(std::string id);
  void begin_supervision();
  supervised_child supervised(branch& x);

  /// Declares a child: `fun` and `deps` are what it is spawned with, each time.
  /// Returns the handle that everybody else uses.
  template <class Fun, class Deps>
  auto add(branch& to, std::string id, Fun fun, Deps deps, unsigned beats,
           restart_kind restart = restart_kind::permanent);
  template <class Fun, class Deps>
  caf::actor spawn(Fun fun, Deps deps, const place& where);

  void spawn_egresses();
  void spawn_guard();
  void spawn_shards();
  void spawn_presence();
  void spawn_keeper();
  void spawn_memory_guard();
  void spawn_registrar();
  void spawn_desk();
  puller_actor spawn_puller(branch& to, std::string id, nats::log_spec spec,
                            pull_sink_actor sink);
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
  std::promise<void> ended_;
  seat_control control_;
  supervisor_actor root_;
  place root_seat_;
  std::list<branch> branches_;
  branch& delivery_;
  branch& routing_;
  branch& presences_;
  branch& outboxes_;
  branch& edge_;
  /// Guards what follows, and the children of the branches.
  std::mutex mutex_;
  std::vector<place> places_;
};

} // namespace fantail
