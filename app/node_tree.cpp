// SPDX-License-Identifier: MIT
#include "app/node_tree.hpp"

#include "actors/egress.hpp"
#include "actors/memory_guard.hpp"
#include "actors/node_guard.hpp"
#include "actors/outbox.hpp"
#include "actors/partitioner.hpp"
#include "actors/presence_desk.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/registrar.hpp"
#include "actors/routing_shard.hpp"
#include "actors/snapshot_keeper.hpp"
#include "app/node_questions.hpp"
#include "core/hash.hpp"
#include "runtime/metrics/process_usage.hpp"
#include "runtime/profile/heap_profiler.hpp"

#include <caf/send.hpp>

#include <utility>

namespace fantail {

namespace {

constexpr auto ingest_connect_timeout = 10s;
constexpr auto tick_period = 20ms;

/// Beats between two ticks of an actor. Only an egress has something to do
/// that soon: frames that wait for company.
constexpr unsigned egress_beats = 1;
constexpr unsigned usual_beats = 5;

} // namespace

template <class Handle>
Handle node_tree::adopt(Handle x, const char* kind, unsigned beats) {
  auto handle = caf::actor_cast<caf::actor>(x);
  handle->attach_functor([this, kind](const caf::error& reason) {
    if (!is_stopping_ && reason != caf::exit_reason::user_shutdown)
      on_.on_lost(std::string{kind} + " ended: " + system_.render(reason));
  });
  std::lock_guard guard{mutex_};
  if (is_stopping_) {
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    return x;
  }
  clock_->add(x, beats);
  actors_.push_back(std::move(handle));
  return x;
}

node_tree::node_tree(caf::actor_system& system, node_parts& parts,
                     heritage from, callbacks on)
    : system_(system), parts_(parts), config_(parts.config),
      from_(std::move(from)), on_(std::move(on)) {
  clock_.emplace(parts.clock, tick_period);
  spawn_egresses();
  spawn_guard();
  spawn_shards();
  spawn_presence();
  spawn_keeper();
  spawn_memory_guard();
  spawn_registrar();
  spawn_desk();
}

void node_tree::hurry() {
  if (clock_)
    clock_->tell(parts_.clock.now() + 1s);
}

void node_tree::stop() {
  {
    std::lock_guard guard{mutex_};
    is_stopping_ = true;
  }
  clock_.reset();
  for (auto& x : actors_)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  actors_.clear();
  egresses_.clear();
  shards_.clear();
  presence_.clear();
  pullers_.clear();
  presence_pullers_.clear();
  guard_ = nullptr;
  instances_ = nullptr;
  desk_ = nullptr;
}

void node_tree::spawn_egresses() {
  for (uint16_t i = 0; i < config_.egress.connections; ++i) {
    egress_deps deps;
    deps.env = parts_.env;
    deps.group = i;
    deps.bus = parts_.links[i].get();
    deps.outboxes = {config_.outbox.bytes, config_.outbox.events,
                     config_.outbox.window_bytes, config_.outbox.frame_bytes};
    deps.shards = config_.cluster.shards;
    // On a thread of its own: it is the one actor that writes to sockets.
    egresses_.push_back(adopt(system_.spawn<caf::detached>(egress, deps),
                              "egress", egress_beats));
  }
}

void node_tree::spawn_guard() {
  node_guard_deps deps;
  deps.env = parts_.env;
  deps.shards = config_.cluster.shards;
  deps.start_routing = [this](shard_id shard) {
    auto& last = from_.checkpoints[shard.value];
    caf::anon_send(pullers_[shard.value],
                   start_pulling{last.settled, last.created_at});
  };
  deps.on_ready = [this] {
    caf::anon_send(desk_, presence_exact{});
    parts_.reports.info("node", "ready", {});
    on_.on_ready();
  };
  guard_ = adopt(system_.spawn(node_guard, deps), "node guard", usual_beats);
}

void node_tree::spawn_shards() {
  for (uint16_t i = 0; i < config_.cluster.shards; ++i) {
    auto& last = from_.checkpoints[i];
    routing_shard_deps deps;
    deps.env = parts_.env;
    deps.shard = shard_id{i};
    deps.presence_shards = config_.cluster.presence_shards;
    deps.egresses = egresses_;
    deps.owner = last.owner;
    deps.settled = last.settled;
    deps.created_at = last.created_at;
    deps.restored = std::move(from_.restored.routers[i]);
    deps.guard = guard_;
    shards_.push_back(adopt(system_.spawn(routing_shard, deps), "routing shard",
                            usual_beats));
  }
}

void node_tree::spawn_presence() {
  for (uint16_t i = 0; i < config_.cluster.presence_shards; ++i) {
    presence_shard_deps deps;
    deps.env = parts_.env;
    deps.shard = presence_shard_id{i};
    auto& last = from_.restored.ledgers[i];
    deps.ledger = ledger_of(config_, parts_.clock.now());
    deps.membership = membership_of(config_, deps.ledger.started);
    deps.members = parts_.members.get();
    deps.routing = shards_;
    deps.restored = std::move(last.state);
    deps.restored_members = std::move(last.members);
    deps.version_base = last.version_base;
    deps.resync = last.resync;
    presence_.push_back(adopt(system_.spawn(presence_shard, deps),
                              "presence shard", usual_beats));
  }
}

void node_tree::spawn_keeper() {
  snapshot_keeper_deps deps;
  deps.env = parts_.env;
  deps.store = parts_.snapshots.get();
  deps.rounds = snapshot_rounds_of(config_);
  deps.presence = presence_;
  deps.routing = shards_;
  deps.loaded = std::move(from_.restored.loaded);
  deps.first_id = table_hash(parts_.incarnation);
  adopt(system_.spawn(snapshot_keeper, deps), "snapshot keeper", usual_beats);
}

void node_tree::spawn_memory_guard() {
  memory_guard_deps deps;
  deps.env = parts_.env;
  deps.limit_bytes = config_.node.memory_limit;
  deps.measure = [] {
    auto usage = read_process_usage();
    return usage ? usage->resident_bytes : 0;
  };
  deps.trim = give_back_free_memory;
  deps.presence = presence_;
  adopt(system_.spawn(memory_guard, deps), "memory guard", usual_beats);
}

void node_tree::spawn_registrar() {
  registrar_deps deps;
  deps.env = parts_.env;
  deps.egresses = egresses_;
  deps.presence = presence_;
  deps.guard = guard_;
  deps.shards = config_.cluster.shards;
  deps.presence_shards = config_.cluster.presence_shards;
  deps.heartbeat_ms
      = static_cast<uint32_t>(config_.presence.heartbeat_interval / 1ms);
  deps.watch = instance_watch::config::of(config_.presence.heartbeat_interval,
                                          config_.presence.ttl);
  deps.frame_bytes_max = static_cast<uint32_t>(config_.outbox.frame_bytes);
  deps.spawn_outbox = [this](instance_index index) {
    outbox_deps served{parts_.env, index, parts_.ranges.get(), shards_};
    return adopt(system_.spawn(outbox_server, served), "outbox", usual_beats);
  };
  instances_ = adopt(system_.spawn(registrar, deps), "registrar", usual_beats);
}

void node_tree::spawn_desk() {
  presence_desk_deps deps;
  deps.env = parts_.env;
  deps.routing = shards_;
  deps.presence = presence_;
  deps.life = new_life_of(config_.node.name);
  deps.watch_lease = config_.presence.watch_lease;
  deps.watch_interval = config_.presence.watch_interval;
  desk_
      = adopt(system_.spawn(presence_desk, deps), "presence desk", usual_beats);
}

puller_actor node_tree::spawn_puller(nats::log_spec spec,
                                     pull_sink_actor sink) {
  puller_deps deps;
  deps.env = parts_.env;
  deps.stream = spec.stream.name;
  deps.reader = &parts_.add_reader(std::move(spec));
  deps.sink = std::move(sink);
  deps.window.events_per_request = config_.routing.pull_events;
  deps.window.unsettled_bytes_max = config_.routing.unsettled_bytes;
  return adopt(system_.spawn(puller, deps), "puller", usual_beats);
}

void node_tree::start_reading() {
  parts_.ingest->start();
  parts_.ingest->on().wait_up(ingest_connect_timeout);
  for (uint16_t i = 0; i < config_.cluster.shards; ++i)
    pullers_.push_back(spawn_puller(parts_.chat_log(i), shards_[i]));
  for (uint16_t i = 0; i < config_.cluster.presence_shards; ++i)
    presence_pullers_.push_back(
        spawn_puller(parts_.presence_log(i), presence_[i]));
  auto waits = false;
  for (auto& x : parts_.sources) {
    spawn_partitioner(x);
    waits = waits || x.what.name == "presence";
  }
  if (!waits)
    begin_presence();
  caf::anon_send(spawn_puller(parts_.instances_log(), instances_),
                 start_pulling{position{0}, {}});
}

void node_tree::spawn_partitioner(const node_parts::opened_source& x) {
  auto deps = parts_.partitioner_for(x);
  if (x.what.name == "presence")
    deps.on_caught_up = [this] {
      begin_presence();
    };
  auto sink
      = adopt(system_.spawn(partitioner, deps), "partitioner", usual_beats);
  caf::anon_send(spawn_puller(parts_.source_log(x.what), sink),
                 start_pulling{x.from.republished, x.from.created_at});
}

void node_tree::begin_presence() {
  for (size_t i = 0; i < presence_pullers_.size(); ++i) {
    auto& from = from_.restored.ledgers[i];
    caf::anon_send(presence_pullers_[i],
                   start_pulling{from.read_to, from.created_at});
  }
}

std::shared_ptr<inspection> node_tree::inspect(size_t top) const {
  auto result = std::make_shared<inspection>(
      shards_.size() + presence_.size() + egresses_.size(), top);
  auto ask = [&result](auto& group) {
    for (auto& x : group)
      caf::anon_send(x, inspect_node{result});
  };
  ask(shards_);
  ask(presence_);
  ask(egresses_);
  return result->wait(2s) ? result : nullptr;
}

std::shared_ptr<route_inspection>
node_tree::inspect_routes_of(std::vector<std::string> channels) const {
  auto result
      = std::make_shared<route_inspection>(std::move(channels), shards_.size());
  for (auto& x : shards_)
    caf::anon_send(x, inspect_routes{result});
  return result->wait(2s) ? result : nullptr;
}

} // namespace fantail
