// SPDX-License-Identifier: MIT
#include "actors/presence_shard.hpp"

#include "actors/component.hpp"
#include "core/hash.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/snapshot/instance_names.hpp"
#include "core/subject.hpp"
#include "messages/inspection.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// A tick that is this late shows that the process stood still and has heard
/// nobody; the registrar renews the sessions of all instances then.
constexpr auto tick_gap_max = 1s;

} // namespace

void presence_shard_state::start(presence_shard_deps x) {
  deps = std::move(x);
  now = deps.env.clock->now();
  if (deps.restored)
    ledger.emplace(std::move(*deps.restored));
  else
    ledger.emplace(deps.ledger, *deps.env.instances);
  deps.restored = nullptr;
  version_base = deps.version_base;
  read_to = position{ledger->applied().value - version_base};
  outbound.emplace(deps.shard, static_cast<uint16_t>(deps.routing.size()));
  counts = &deps.env.counts->presence[deps.shard.value];
  applied.resize(deps.routing.size());
}

void presence_shard_state::on_pulled(const pulled& x) {
  auto& events = *x.events;
  for (size_t i = 0; i < events.size(); ++i) {
    apply(events[i]);
    outbound->reached(progress());
  }
  read_to = events.to;
  send_deltas();
  if (!events.empty() && is_replayed)
    latencies.push_back({events.received_at_ns, deltas_sent});
  bytes_read += events.byte_count();
  owed_bytes += events.byte_count();
  pay_credit();
  send_answers();
  tell_watched();
  check_replayed();
}

log_progress presence_shard_state::progress() const {
  return {log_life_of(created_at, version_base), ledger->applied()};
}

void presence_shard_state::send_deltas() {
  deltas.clear();
  outbound->take_deltas(deltas);
  for (auto& delta : deltas)
    self->send(deps.routing[delta->to.value], apply_delta{delta});
  deltas_sent += deltas.size();
}

void presence_shard_state::tell_reached() {
  outbound->reached(progress());
  outbound->tell_reached();
  send_deltas();
}

void presence_shard_state::send_answers() {
  answers.clear();
  outbound->take_answers(answers);
  for (auto& x : answers)
    deps.env.control->answer(x.reply_to, encode(x.answer));
}

void presence_shard_state::pay_credit() {
  if (owed_bytes > 0 && source && !outbound->is_full() && !refused.is_full())
    self->send(source, pull_settled{std::exchange(owed_bytes, 0)});
}

void presence_shard_state::on_found(const log_found& x) {
  source = sender_of_current<puller_actor>(self);
  created_at = x.state.created_at;
  trimmed_to = position{std::max<uint64_t>(x.state.first.value, 1) - 1};
  if (!replay_to)
    replay_to = x.state.last;
  check_replayed();
}

void presence_shard_state::check_replayed() {
  if (is_replayed || !replay_to || read_to < *replay_to)
    return;
  is_replayed = true;
  tell_reached();
  for (auto& shard : deps.routing)
    self->send(shard, log_replayed{deps.shard});
}

void presence_shard_state::on_lost(const positions_lost& x) {
  deps.env.reports->error(
      name, "presence-changes-lost",
      {{"shard", std::to_string(deps.shard.value)},
       {"count", std::to_string(x.to.value - x.from.value)}});
  read_to = x.to;
  check_replayed();
}

void presence_shard_state::on_restarted(const log_restarted& x) {
  // The table stays as it is: it is all that is left of the log.
  version_base = ledger->applied().value;
  created_at = x.state.created_at;
  trimmed_to = position{0};
  read_to = replay_to.emplace(position{0});
  deps.env.reports->error(
      name, "presence-log-lost",
      {{"shard", std::to_string(deps.shard.value)},
       {"what_to_do", "send the presence of all users again before this node "
                      "is restarted"}});
}

void presence_shard_state::on_progress(const delta_progressed& x) {
  auto& last = applied[x.shard.value];
  if (x.applied > last)
    deltas_applied += x.applied - std::exchange(last, x.applied);
  outbound->applied(x.shard, x.applied, x.at);
  outbound->drained(x.shard, x.drained, x.at);
  auto at = to_ns(deps.env.clock->now());
  while (!latencies.empty() && latencies.front().deltas <= deltas_applied) {
    if (is_replayed)
      counts->update.record(at - latencies.front().received_at_ns);
    latencies.pop_front();
  }
  send_answers();
  pay_credit();
}

void presence_shard_state::on_ask_growth() {
  self->send(sender_of_current<snapshot_keeper_actor>(self),
             log_growth{deps.shard, progress(), version_base, bytes_read});
}

void presence_shard_state::on_take_snapshot(const take_snapshot& x) {
  snapshot_taken answer{source_of(deps.shard), nullptr};
  // Before that nobody knows which life of the log it would be of.
  if (!created_at.empty()) {
    // What the routing shards write down afterwards contains it all.
    tell_reached();
    answer.image = std::make_shared<snapshot_image>();
    answer.image->about.created_at = created_at;
    answer.image->about.version_base = version_base;
    answer.image->about.logs.emplace_back(deps.shard, progress());
    byte_writer out{limits::snapshot_part_bytes, snapshot_part_head,
                    std::move(*x.buffers)};
    save_instances(*deps.env.instances, out);
    ledger->save(out);
    answer.image->chunks = out.take();
  }
  self->send(sender_of_current<snapshot_keeper_actor>(self), std::move(answer));
}

void presence_shard_state::on_trimmed(const log_trimmed& x) {
  trimmed_to = std::max(trimmed_to, x.up_to);
}

void presence_shard_state::on_seen(const instances_seen& x) {
  for (auto instance : x.instances)
    ledger->heartbeat(instance, now);
}

void presence_shard_state::on_left(const instances_left& x) {
  for (auto instance : x.instances)
    ledger->end_sessions(instance, now);
}

void presence_shard_state::on_memory(const memory_state& x) {
  is_short_of_memory = x.is_short;
}

void presence_shard_state::on_link(const link_changed& x) {
  hears_instances = x.is_up;
}

void presence_shard_state::on_tick(const tick& x) {
  if (x.now - now > tick_gap_max)
    expire_from = x.now + tick_gap_max;
  now = x.now;
  sample_wait(deps.env, name, x);
  if (is_replayed && hears_instances && now >= expire_from)
    expire_sessions();
  overdue.clear();
  refused.take_due(now, overdue);
  for (auto& x : overdue)
    append_expire(x.user, x.session, x.version);
  if (now >= next_second) {
    next_second = now + 1s;
    publish_counts();
    if (is_replayed)
      tell_reached();
  }
}

void presence_shard_state::expire_sessions() {
  expired.clear();
  ledger->tick(now, expired);
  for (auto& x : expired) {
    append_expire(x.user, x.session, x.version);
    counts->expired.add();
  }
}

void presence_shard_state::append_expire(const std::string& user,
                                         const std::string& session,
                                         log_position newest) {
  presence_update update;
  update.op = presence_op::expire;
  update.session = session;
  auto subject = subjects::presence_prefix(deps.shard.value) + user;
  auto at = newest.value > version_base ? newest.value - version_base : 0;
  // The server does not remember a record that was trimmed.
  if (at <= trimmed_to.value)
    at = 0;
  deps.env.control->append(subject, encode(update), at);
}

void presence_shard_state::publish_counts() {
  auto stats = ledger->stats();
  counts->users_online.set(stats.users_online);
  counts->sessions.set(stats.sessions);
  counts->zombies.set(stats.zombies);
  counts->bytes.set(stats.bytes);
  counts->log_position.set(read_to.value);
}

void presence_shard_state::on_inspect(const inspect_node& x) {
  x.into->add(inspection::presence_view{
      deps.shard, ledger->applied(), outbound->unapplied(), ledger->stats()});
}

presence_shard_actor::behavior_type presence_shard(
    presence_shard_actor::stateful_pointer<presence_shard_state> self,
    presence_shard_deps deps) {
  install_handlers(self, deps.env);
  auto& state = self->state;
  state.self = self;
  state.start(std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [&state](const inspect_node& x) { state.on_inspect(x); },
      // -- pull_sink_actor
      [&state](const pulled& x) { state.on_pulled(x); },
      [&state](const log_found& x) { state.on_found(x); },
      [&state](const positions_lost& x) { state.on_lost(x); },
      [&state](const log_restarted& x) { state.on_restarted(x); },
      [](const log_stalled&) {
        // Nothing here depends on knowing the end of the log.
      },
      // -- presence_shard_actor
      [&state](const delta_progressed& x) { state.on_progress(x); },
      [&state](const instances_seen& x) { state.on_seen(x); },
      [&state](const ask_log_growth&) { state.on_ask_growth(); },
      [&state](const log_trimmed& x) { state.on_trimmed(x); },
      [&state](const take_snapshot& x) { state.on_take_snapshot(x); },
      [&state](const find_user& x) { state.on_find_user(x); },
      [&state](const name_users& x) { state.on_name_users(x); },
      [&state](const watch_user& x) { state.on_watch_user(x); },
      [&state](const name_changes& x) { state.on_name_changes(x); },
      [&state](const instances_left& x) { state.on_left(x); },
      [&state](const link_changed& x) { state.on_link(x); },
      [&state](const memory_state& x) { state.on_memory(x); },
  };
}

} // namespace fantail
