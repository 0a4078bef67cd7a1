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
#include "actors/supervisor.hpp"
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
constexpr unsigned supervisor_beats = 1;

/// One defect may hit many children at once; one that comes back at once each
/// time is not mended by restarts.
constexpr restart_intensity child_intensity{8, 60s};
constexpr auto longest_pause = 2s;
constexpr auto child_grace = 1s;
constexpr auto branch_grace = 3s;
constexpr restart_intensity branch_intensity{40, 10s};
constexpr restart_intensity root_intensity{3, 30s};
constexpr auto stop_timeout = 5s;
constexpr const char* root_id = "node";

} // namespace

node_tree::branch& node_tree::grow(std::string id) {
  auto& result = branches_.emplace_back();
  result.spec.id = std::move(id);
  result.spec.intensity = branch_intensity;
  result.spec.pause.cap = longest_pause;
  result.seat = place::make(system_);
  control_.enter(result.seat, root_id, result.spec.id, true);
  return result;
}

template <class Fun, class Deps>
caf::actor node_tree::spawn(Fun fun, Deps deps, const place& where) {
  // Whoever sat there has not ended yet: its supervisor was killed.
  if (!where->reserve())
    return nullptr;
  deps.env.seat = where;
  // What writes to sockets has a thread of its own.
  if constexpr (std::is_same_v<Deps, egress_deps>)
    return caf::actor_cast<caf::actor>(
        system_.spawn<caf::detached>(fun, std::move(deps)));
  else
    return caf::actor_cast<caf::actor>(system_.spawn(fun, std::move(deps)));
}

template <class Fun, class Deps>
auto node_tree::add(branch& to, std::string id, Fun fun, Deps deps,
                    unsigned beats, restart_kind restart) {
  using handle = caf::infer_handle_from_fun_t<Fun>;
  auto where = place::make(system_);
  control_.enter(where, to.spec.id, id, false);
  supervised_child child;
  child.spec.id = std::move(id);
  child.spec.restart = restart;
  child.spec.intensity = child_intensity;
  child.spec.grace = child_grace;
  child.start = [this, fun, deps, where] {
    return spawn(fun, deps, where);
  };
  {
    std::lock_guard guard{mutex_};
    if (is_stopping_) {
      where->close();
      return where.as<handle>();
    }
    places_.push_back(where);
    to.children.push_back(child);
    clock_->add(where.as<component_actor>(), beats);
  }
  // One that begins later starts with all there are, and ignores the message.
  caf::anon_send(to.seat.as<supervisor_actor>(), start_child{std::move(child)});
  return where.as<handle>();
}

supervised_child node_tree::supervised(branch& x) {
  clock_->add(x.seat.as<component_actor>(), supervisor_beats);
  supervised_child result;
  result.spec.id = x.spec.id;
  result.spec.grace = branch_grace;
  result.start = [this, &x] {
    supervisor_deps deps{parts_.env, x.spec, {}};
    {
      std::lock_guard guard{mutex_};
      deps.children = x.children;
    }
    return spawn(supervisor, std::move(deps), x.seat);
  };
  return result;
}

void node_tree::begin_supervision() {
  supervisor_deps deps{parts_.env, {}, {}};
  deps.spec.id = root_id;
  root_seat_ = place::make(system_);
  control_.enter(root_seat_, {}, root_id, true);
  deps.env.seat = root_seat_;
  deps.spec.intensity = root_intensity;
  for (auto& x : branches_)
    deps.children.push_back(supervised(x));
  root_ = system_.spawn(supervisor, std::move(deps));
  caf::actor_cast<caf::actor>(root_)->attach_functor(
      [this](const caf::error& reason) {
        if (!is_stopping_)
          on_.on_lost(system_.render(reason));
        ended_.set_value();
      });
  clock_->add(root_, supervisor_beats);
}

node_tree::node_tree(caf::actor_system& system, node_parts& parts,
                     heritage from, callbacks on)
    : system_(system), parts_(parts), config_(parts.config),
      from_(std::move(from)), on_(std::move(on)), control_(parts.actors),
      delivery_(grow("delivery")), routing_(grow("routing")),
      presences_(grow("presence")), outboxes_(grow("outboxes")),
      edge_(grow("edge")) {
  clock_.emplace(parts.clock, tick_period);
  spawn_egresses();
  spawn_guard();
  spawn_shards();
  spawn_presence();
  spawn_keeper();
  spawn_memory_guard();
  spawn_registrar();
  spawn_desk();
  begin_supervision();
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
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  // Supervisors need the time to kill who does not stop.
  auto has_ended
      = ended_.get_future().wait_for(stop_timeout) == std::future_status::ready;
  clock_.reset();
  std::lock_guard guard{mutex_};
  for (auto& x : places_) {
    if (!has_ended)
      caf::anon_send_exit(x.as<caf::actor>(), caf::exit_reason::kill);
    x->close();
  }
  for (auto& x : branches_)
    x.seat->close();
  root_seat_->close();
  root_ = nullptr;
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
    egresses_.push_back(add(delivery_, "egress-" + std::to_string(i), egress,
                            deps, egress_beats));
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
  guard_ = add(edge_, "node-guard", node_guard, deps, usual_beats);
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
    shards_.push_back(add(routing_, "shard-" + std::to_string(i), routing_shard,
                          deps, usual_beats));
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
    presence_.push_back(add(presences_, "presence-" + std::to_string(i),
                            presence_shard, deps, usual_beats));
  }
}

void node_tree::spawn_keeper() {
  snapshot_keeper_deps deps;
  deps.env = parts_.env;
  deps.store = parts_.snapshots.get();
  deps.rounds = snapshot_rounds_of(config_);
  deps.rounds.bytes_max = parts_.presence_log_bytes_max() / 4;
  deps.presence = presence_;
  deps.routing = shards_;
  deps.loaded = std::move(from_.restored.loaded);
  deps.first_id = table_hash(parts_.incarnation);
  add(edge_, "snapshot-keeper", snapshot_keeper, deps, usual_beats);
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
  add(edge_, "memory-guard", memory_guard, deps, usual_beats);
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
    return add(outboxes_, "outbox-" + std::to_string(index.value),
               outbox_server, served, usual_beats, restart_kind::transient);
  };
  instances_ = add(edge_, "registrar", registrar, deps, usual_beats);
}

void node_tree::spawn_desk() {
  presence_desk_deps deps;
  deps.env = parts_.env;
  deps.routing = shards_;
  deps.presence = presence_;
  deps.life = new_life_of(config_.node.name);
  deps.watch_lease = config_.presence.watch_lease;
  deps.watch_interval = config_.presence.watch_interval;
  desk_ = add(edge_, "presence-desk", presence_desk, deps, usual_beats);
}

puller_actor node_tree::spawn_puller(branch& to, std::string id,
                                     nats::log_spec spec,
                                     pull_sink_actor sink) {
  puller_deps deps;
  deps.env = parts_.env;
  deps.stream = spec.stream.name;
  deps.reader = &parts_.add_reader(std::move(spec));
  deps.sink = std::move(sink);
  deps.window.events_per_request = config_.routing.pull_events;
  deps.window.unsettled_bytes_max = config_.routing.unsettled_bytes;
  return add(to, std::move(id), puller, deps, usual_beats);
}

void node_tree::start_reading() {
  parts_.ingest->start();
  parts_.ingest->on().wait_up(ingest_connect_timeout);
  for (uint16_t i = 0; i < config_.cluster.shards; ++i)
    pullers_.push_back(spawn_puller(routing_, "puller-" + std::to_string(i),
                                    parts_.chat_log(i), shards_[i]));
  for (uint16_t i = 0; i < config_.cluster.presence_shards; ++i)
    presence_pullers_.push_back(
        spawn_puller(presences_, "puller-" + std::to_string(i),
                     parts_.presence_log(i), presence_[i]));
  auto waits = false;
  for (auto& x : parts_.sources) {
    spawn_partitioner(x);
    waits = waits || x.what.name == "presence";
  }
  if (!waits)
    begin_presence();
  caf::anon_send(spawn_puller(edge_, "instances-puller", parts_.instances_log(),
                              instances_),
                 start_pulling{position{0}, {}});
}

void node_tree::spawn_partitioner(const node_parts::opened_source& x) {
  auto deps = parts_.partitioner_for(x);
  if (x.what.name == "presence")
    deps.on_caught_up = [this] {
      begin_presence();
    };
  auto sink = add(edge_, "partitioner-" + x.what.name, partitioner, deps,
                  usual_beats);
  caf::anon_send(spawn_puller(edge_, "puller-" + x.what.name,
                              parts_.source_log(x.what), sink),
                 start_pulling{x.from.republished, x.from.created_at});
}

void node_tree::begin_presence() {
  for (size_t i = 0; i < presence_pullers_.size(); ++i) {
    auto& from = from_.restored.ledgers[i];
    caf::anon_send(presence_pullers_[i],
                   start_pulling{from.read_to, from.created_at});
  }
}

} // namespace fantail
