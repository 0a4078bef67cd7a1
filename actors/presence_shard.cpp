// SPDX-License-Identifier: MIT
#include "actors/presence_shard.hpp"

#include "actors/component.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/subject.hpp"
#include "messages/inspection.hpp"

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
  ledger.emplace(deps.ledger, *deps.env.instances);
  outbound.emplace(deps.shard, static_cast<uint16_t>(deps.routing.size()));
  counts = &deps.env.counts->presence[deps.shard.value];
  applied.resize(deps.routing.size());
}

void presence_shard_state::on_pulled(const pulled& x) {
  auto& events = *x.events;
  for (size_t i = 0; i < events.size(); ++i)
    apply(events[i]);
  read_to = events.to;
  send_deltas();
  if (!events.empty())
    latencies.push_back({events.received_at_ns, deltas_sent});
  owed_bytes += events.byte_count();
  pay_credit();
  send_answers();
  check_replayed();
}

void presence_shard_state::apply(const chat_event& record) {
  counts->updates.add();
  auto parsed = parse_presence_update(record.body);
  auto version = log_position{version_base + record.pos.value};
  if (!refused.empty())
    refused.saw(record.channel, version);
  if (!parsed.ok()) {
    ledger->skip(record.channel, version);
    refuse(record, parsed.update, parsed.has_op, parsed.reason, parsed.detail);
    return;
  }
  if (is_too_much(record, parsed.update, version)
      || settle_refusal(record, parsed.update, version)) {
    ledger->skip(record.channel, version);
    return;
  }
  presence_record change{version, record.stored_at_ns,
                         std::string{record.channel}, std::move(parsed.update)};
  changes.clear();
  auto outcome = ledger->apply(change, now, changes);
  for (auto& x : changes)
    outbound->add(x.to, std::move(x.change));
  if (outcome.reason != presence_reject::none) {
    refuse(record, change.update, true, outcome.reason, outcome.detail);
    return;
  }
  if (change.update.reply_to.empty() || outcome.is_repeat || !is_replayed)
    return;
  auto op = change.update.op;
  auto goes = op == presence_op::offline || op == presence_op::leave
              || op == presence_op::expire;
  presence_answer answer;
  answer.what
      = goes ? presence_answer::status::left : presence_answer::status::joined;
  answer.user = change.user;
  answer.op = op;
  answer.version = version;
  outbound->expect(outcome.shards, change.update.reply_to, std::move(answer));
}

/// At the memory limit no session is added. What was online stays, and may
/// change its channels.
bool presence_shard_state::is_too_much(const chat_event& record,
                                       const presence_update& update,
                                       log_position version) {
  if (!is_short_of_memory || !is_replayed || update.op != presence_op::online
      || ledger->has_session(record.channel, update.session))
    return false;
  counts->refused_for_memory.add();
  refused.add(std::string{record.channel}, update.session,
              {version, update.reply_to});
  return true;
}

/// Whether the record is the `expire` of a session that never was: then the
/// refusal is safe and can be answered.
bool presence_shard_state::settle_refusal(const chat_event& record,
                                          const presence_update& update,
                                          log_position version) {
  if (refused.empty())
    return false;
  auto ends
      = update.op == presence_op::expire || update.op == presence_op::offline;
  if (!ends && update.op != presence_op::online)
    return false;
  auto known = refused.settled(record.channel, update.session);
  if (!known || !ends)
    return false;
  if (!known->reply_to.empty()) {
    presence_answer answer;
    answer.what = presence_answer::status::rejected;
    answer.user = record.channel;
    answer.op = presence_op::online;
    answer.version = known->version;
    answer.reason = presence_reject::memory_limit;
    answer.detail = "the node is at its memory limit; ask again later";
    deps.env.control->answer(known->reply_to, encode(answer));
  }
  if (update.op == presence_op::offline && !update.reply_to.empty()) {
    presence_answer answer;
    answer.what = presence_answer::status::left;
    answer.user = record.channel;
    answer.op = update.op;
    answer.version = version;
    outbound->expect(0, update.reply_to, std::move(answer));
  }
  return true;
}

void presence_shard_state::refuse(const chat_event& record,
                                  const presence_update& update, bool has_op,
                                  presence_reject reason,
                                  std::string_view detail) {
  // A replay meets the old mistakes again; they were reported then.
  if (!is_replayed)
    return;
  counts->rejected.add();
  auto subject = subjects::presence_prefix(deps.shard.value)
                 + std::string{record.channel};
  deps.env.control->bury({"presence", subject, record.body, to_string(reason),
                          detail, record.pos});
  if (update.reply_to.empty())
    return;
  presence_answer answer;
  answer.what = presence_answer::status::rejected;
  answer.user = record.channel;
  if (has_op)
    answer.op = update.op;
  answer.version = log_position{version_base + record.pos.value};
  answer.reason = reason;
  answer.detail = detail;
  deps.env.control->answer(update.reply_to, encode(answer));
}

void presence_shard_state::send_deltas() {
  deltas.clear();
  outbound->take_deltas(deltas);
  for (auto& delta : deltas)
    self->send(deps.routing[delta->to.value], apply_delta{delta});
  deltas_sent += deltas.size();
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
  if (!replay_to)
    replay_to = x.state.last;
  check_replayed();
}

void presence_shard_state::check_replayed() {
  if (is_replayed || !replay_to || read_to < *replay_to
      || outbound->unapplied() > 0)
    return;
  is_replayed = true;
  self->send(deps.guard, log_replayed{});
}

void presence_shard_state::on_lost(const positions_lost& x) {
  deps.env.reports->error(
      name, "presence-changes-lost",
      {{"shard", std::to_string(deps.shard.value)},
       {"count", std::to_string(x.to.value - x.from.value)}});
  read_to = x.to;
  check_replayed();
}

void presence_shard_state::on_restarted(const log_restarted&) {
  // The table stays as it is: it is all that is left of the log.
  version_base = ledger->applied().value;
  read_to = position{0};
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
  check_replayed();
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
      [&state](const instances_left& x) { state.on_left(x); },
      [&state](const link_changed& x) { state.on_link(x); },
      [&state](const memory_state& x) { state.on_memory(x); },
  };
}

} // namespace fantail
