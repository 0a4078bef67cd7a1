// SPDX-License-Identifier: MIT
#include "app/node.hpp"

#include "actors/egress.hpp"
#include "actors/node_guard.hpp"
#include "actors/outbox.hpp"
#include "actors/presence_desk.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/registrar.hpp"
#include "actors/routing_shard.hpp"
#include "actors/ticker.hpp"
#include "app/node_parts.hpp"
#include "app/node_questions.hpp"
#include "app/stop_watchdog.hpp"
#include "app/streams.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace fantail {

namespace {

constexpr auto connect_timeout = 10s;
constexpr auto tick_period = 20ms;

/// Beats between two ticks of an actor. Only an egress has something to do
/// that soon: frames that wait for company.
constexpr unsigned egress_beats = 1;
constexpr unsigned usual_beats = 5;
constexpr auto drain_timeout = 2s;

} // namespace

class node::impl {
public:
  explicit impl(const node_config& c) : config(c), parts(c) {}

  ~impl() { stop(); }

  std::optional<start_failure> start() {
    if (auto problem = parts.connect(connect_timeout))
      return problem;
    if (auto problem = parts.prepare_streams())
      return problem;
    if (auto why = apply(config, system_config))
      return start_failure{1, "CAF refused the setting " + *why};
    system.emplace(system_config);
    if (auto problem = spawn_shards())
      return problem;
    spawn_presence();
    spawn_registrar();
    spawn_desk();
    start_links();
    pass_questions(*parts.control, desk);
    start_reading();
    return std::nullopt;
  }

  void stop() {
    if (!system)
      return;
    stop_watchdog watchdog;
    parts.http_down();
    for (auto& reader : parts.readers)
      reader->close();
    drain();
    end_actors();
    parts.stop_links();
    system.reset();
    parts.stop_server();
  }

  /// Keeps a handle for the end, watches over the actor, and ticks it. Any
  /// thread: the registrar has outboxes adopted, and may do so while the node
  /// stops.
  template <class Handle>
  Handle adopt(Handle x, const char* kind, unsigned beats = usual_beats) {
    auto handle = caf::actor_cast<caf::actor>(x);
    handle->attach_functor([this, kind](const caf::error& reason) {
      if (!is_stopping && reason != caf::exit_reason::user_shutdown)
        fail(std::string{kind} + " ended: " + system->render(reason));
    });
    std::lock_guard guard{mutex};
    if (is_stopping) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
      return x;
    }
    clock_or_new().add(x, beats);
    actors.push_back(std::move(handle));
    return x;
  }

  void fail(std::string reason) {
    parts.reports.error("node", "actor-lost", {{"reason", reason}});
    {
      std::lock_guard guard{mutex};
      has_failed = true;
    }
    changed.notify_all();
  }

  ticker& clock_or_new() {
    if (!clock)
      clock.emplace(parts.clock, tick_period);
    return *clock;
  }

  std::optional<start_failure> spawn_shards() {
    for (uint16_t i = 0; i < config.egress.connections; ++i) {
      egress_deps deps;
      deps.env = parts.env;
      deps.group = i;
      deps.bus = parts.links[i].get();
      deps.outboxes = {config.outbox.bytes, config.outbox.events,
                       config.outbox.window_bytes, config.outbox.frame_bytes};
      deps.shards = config.cluster.shards;
      // On a thread of its own: it is the one actor that writes to sockets.
      egresses.push_back(adopt(system->spawn<caf::detached>(egress, deps),
                               "egress", egress_beats));
    }
    for (uint16_t i = 0; i < config.cluster.shards; ++i) {
      auto taken = parts.take_over(shard_id{i});
      if (auto* problem = std::get_if<start_failure>(&taken))
        return *problem;
      auto& last = std::get<nats::shard_checkpoint>(taken);
      routing_shard_deps deps;
      deps.env = parts.env;
      deps.shard = shard_id{i};
      deps.presence_shards = config.cluster.presence_shards;
      deps.egresses = egresses;
      deps.owner = last.owner;
      deps.settled = last.settled;
      deps.created_at = last.created_at;
      checkpoints.push_back(last);
      shards.push_back(
          adopt(system->spawn(routing_shard, deps), "routing shard"));
    }
    return std::nullopt;
  }

  void spawn_presence() {
    node_guard_deps guard_deps;
    guard_deps.env = parts.env;
    guard_deps.replays = config.cluster.presence_shards + size_t{1};
    guard_deps.on_ready = [this] {
      begin_routing();
    };
    guard = adopt(system->spawn(node_guard, guard_deps), "node guard");
    for (uint16_t i = 0; i < config.cluster.presence_shards; ++i) {
      presence_shard_deps deps;
      deps.env = parts.env;
      deps.shard = presence_shard_id{i};
      deps.ledger.shards = config.cluster.shards;
      deps.ledger.ttl = config.presence.ttl;
      deps.ledger.started = parts.clock.now();
      deps.routing = shards;
      deps.guard = guard;
      presence.push_back(
          adopt(system->spawn(presence_shard, deps), "presence shard"));
    }
  }

  void spawn_registrar() {
    registrar_deps deps;
    deps.env = parts.env;
    deps.egresses = egresses;
    deps.presence = presence;
    deps.guard = guard;
    deps.shards = config.cluster.shards;
    deps.presence_shards = config.cluster.presence_shards;
    deps.heartbeat_ms
        = static_cast<uint32_t>(config.presence.heartbeat_interval / 1ms);
    deps.frame_bytes_max = static_cast<uint32_t>(config.outbox.frame_bytes);
    deps.spawn_outbox = [this, routing = shards](instance_index index) {
      outbox_deps served{parts.env, index, parts.ranges.get(), routing};
      return adopt(system->spawn(outbox_server, served), "outbox");
    };
    instances = adopt(system->spawn(registrar, deps), "registrar");
  }

  void spawn_desk() {
    presence_desk_deps deps;
    deps.env = parts.env;
    deps.routing = shards;
    deps.presence = presence;
    deps.life = new_life_of(config.node.name);
    deps.watch_lease = config.presence.watch_lease;
    deps.watch_interval = config.presence.watch_interval;
    desk = adopt(system->spawn(presence_desk, deps), "presence desk");
  }

  void start_links() {
    for (size_t i = 0; i < egresses.size(); ++i) {
      auto to = egresses[i];
      nats::egress_link::handlers on;
      // After a disconnect nothing is published before it is certain that the
      // shards are still ours.
      on.on_up = [this, to](uint64_t life) {
        parts.control->verify_ownership([this, to, life](bool is_ours) {
          if (is_ours)
            caf::anon_send(to, link_reopened{life});
          else
            fail("another node owns a shard of this one");
        });
      };
      on.on_down = [to] {
        caf::anon_send(to, link_changed{false});
      };
      on.on_marker = [to](uint64_t life, uint64_t number) {
        caf::anon_send(to, marker_returned{life, number});
      };
      parts.links[i]->start(std::move(on));
    }
    parts.control->listen([to = instances](nats::control_link::word what,
                                           std::string_view instance,
                                           const nats::message& x) {
      auto kind = static_cast<instance_spoke::kind>(what);
      caf::anon_send(to,
                     instance_spoke{kind, std::string{instance},
                                    std::string{x.body}, std::string{x.reply}});
    });
  }

  puller_actor spawn_puller(nats::log_spec spec, pull_sink_actor sink,
                            uint32_t events) {
    puller_deps deps;
    deps.env = parts.env;
    deps.stream = spec.stream.name;
    deps.reader = &parts.add_reader(std::move(spec));
    deps.sink = std::move(sink);
    deps.window.events_per_request = events;
    deps.window.unsettled_bytes_max = config.routing.unsettled_bytes;
    return adopt(system->spawn(puller, deps), "puller");
  }

  void start_reading() {
    parts.ingest->start();
    parts.ingest->on().wait_up(connect_timeout);
    for (uint16_t i = 0; i < config.cluster.shards; ++i)
      pullers.push_back(spawn_puller(parts.chat_log(i), shards[i],
                                     config.routing.pull_events));
    for (uint16_t i = 0; i < config.cluster.presence_shards; ++i)
      caf::anon_send(spawn_puller(parts.presence_log(i), presence[i],
                                  config.routing.pull_events),
                     start_pulling{position{0}, {}});
    caf::anon_send(spawn_puller(parts.instances_log(), instances,
                                config.routing.pull_events),
                   start_pulling{position{0}, {}});
  }

  /// Runs in the node guard once presence is exact, or while the node stops.
  void begin_routing() {
    std::lock_guard lock{mutex};
    if (is_stopping)
      return;
    for (size_t i = 0; i < pullers.size(); ++i)
      caf::anon_send(pullers[i], start_pulling{checkpoints[i].settled,
                                               checkpoints[i].created_at});
    caf::anon_send(desk, log_replayed{});
    is_ready = true;
    parts.reports.info("node", "ready", {});
  }

  /// Waits until what was read is confirmed, and has it checkpointed.
  void drain() {
    auto deadline = parts.clock.now() + drain_timeout;
    while (!parts.all_settled() && parts.clock.now() < deadline)
      std::this_thread::sleep_for(5ms);
    // A tick from the near future brings forward what is due once a second.
    {
      std::lock_guard lock{mutex};
      if (clock)
        clock->tell(parts.clock.now() + 1s);
    }
    std::this_thread::sleep_for(50ms);
  }

  /// Whoever is adopted from now on ends at once.
  void end_actors() {
    std::lock_guard lock{mutex};
    is_stopping = true;
    clock.reset();
    for (auto& x : actors)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    actors.clear();
    egresses.clear();
    shards.clear();
    presence.clear();
    pullers.clear();
    guard = nullptr;
    instances = nullptr;
    desk = nullptr;
  }

  std::shared_ptr<inspection> inspect(size_t top) {
    auto result = std::make_shared<inspection>(
        shards.size() + presence.size() + egresses.size(), top);
    auto ask = [&result](auto& group) {
      for (auto& x : group)
        caf::anon_send(x, inspect_node{result});
    };
    ask(shards);
    ask(presence);
    ask(egresses);
    return result->wait(2s) ? result : nullptr;
  }

  node_config config;
  node_parts parts;
  caf::actor_system_config system_config;
  std::optional<caf::actor_system> system;
  std::optional<ticker> clock;

  std::vector<egress_actor> egresses;
  std::vector<routing_shard_actor> shards;
  std::vector<presence_shard_actor> presence;
  std::vector<puller_actor> pullers;
  node_guard_actor guard;
  registrar_actor instances;
  presence_desk_actor desk;
  std::vector<nats::shard_checkpoint> checkpoints;
  std::vector<caf::actor> actors;

  std::atomic<bool> is_ready = false;
  std::atomic<bool> is_stopping = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_failed = false;
};

node::node(std::unique_ptr<impl> x) : impl_(std::move(x)) {
  // nop
}

node::~node() = default;

std::variant<std::unique_ptr<node>, start_failure>
node::start(const node_config& config) {
  auto parts = std::make_unique<impl>(config);
  if (auto problem = parts->start())
    return *problem;
  auto* self = parts.get();
  if (auto problem
      = self->parts.http_up([self](size_t top) { return self->inspect(top); },
                            [self] { return self->is_ready.load(); }))
    return *problem;
  return std::unique_ptr<node>{new node{std::move(parts)}};
}

bool node::run_until(const std::atomic<bool>& stop) {
  std::unique_lock guard{impl_->mutex};
  while (!stop && !impl_->has_failed)
    impl_->changed.wait_for(guard, 100ms);
  return !impl_->has_failed;
}

bool node::is_ready() const {
  return impl_->is_ready;
}

std::string node::nats_url() const {
  return impl_->parts.nats_url();
}

std::string node::http_url() const {
  return impl_->parts.http_url();
}

std::string node::server_version() const {
  return impl_->parts.server_version();
}

} // namespace fantail
