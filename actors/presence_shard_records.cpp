// SPDX-License-Identifier: MIT
// What a presence shard does with the records of its log.
#include "actors/presence_shard.hpp"
#include "core/hash.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

/// Lists read ahead while users are told anew.
constexpr size_t lists_ahead = 256;

} // namespace

/// Lists everybody whom the routing shards to be told anew have to know, in
/// the order of their records, so that reading them is cheap.
void presence_shard_state::begin_anew() {
  anew.emplace();
  ledger->for_each_known(deps.resync,
                         [this](user_handle x) { anew->push_back(x); });
  std::ranges::sort(*anew, {}, [this](user_handle x) {
    return keeper->members().record_of(x);
  });
  // Until all of it is told, it is as good as nothing.
  outbound->reached({log_life_of(created_at, version_base), log_position{0}});
  if (!anew->empty())
    deps.env.reports->warn(name, "routing-shards-told-anew",
                           {{"shard", std::to_string(deps.shard.value)},
                            {"users", std::to_string(anew->size())}});
}

/// Tells routing shards that lack what is in no log any more everything. True
/// once that is done.
bool presence_shard_state::tell_anew() {
  if (!anew)
    begin_anew();
  for (size_t i = 0; i < std::min(anew->size(), lists_ahead); ++i)
    keeper->members().want_list((*anew)[i]);
  while (!anew->empty() && !outbound->is_full()) {
    auto list = keeper->members().list_of(anew->front());
    if (!list)
      break;
    changes.clear();
    ledger->tell_anew(anew->front(), list->channels, deps.resync, changes);
    for (auto& change : changes)
      outbound->add(change.to, std::move(change.change));
    anew->pop_front();
  }
  send_deltas();
  if (!anew->empty())
    return false;
  deps.resync = 0;
  tell_reached();
  return true;
}

/// Applies what waits, as far as the lists it needs are at hand.
void presence_shard_state::work_off() {
  auto is_ready = keeper->is_open() && !created_at.empty()
                  && (deps.resync == 0 || tell_anew());
  while (is_ready && !waiting.empty()) {
    if (!work_off(waiting.front())) {
      look_ahead();
      break;
    }
    finish(waiting.front());
    waiting.pop_front();
  }
  keeper->pump(now);
  pay_credit();
  send_answers();
  tell_watched();
  check_replayed();
}

bool presence_shard_state::work_off(waiting_pull& x) {
  while (!x.ahead.empty() || x.next < x.events->size()) {
    if (x.ahead.empty())
      read_next(x);
    if (!bring_rows(x.ahead.front()))
      return false;
    apply(x.ahead.front());
    outbound->reached(progress());
    x.ahead.pop_front();
  }
  return true;
}

void presence_shard_state::finish(const waiting_pull& x) {
  auto& events = *x.events;
  if (x.version_base == version_base)
    read_to = std::max(read_to, events.to);
  send_deltas();
  if (!events.empty() && is_replayed)
    latencies.push_back({events.received_at_ns, deltas_sent});
  auto& traces = deps.env.counts->traces;
  if (traces.is_watched()) {
    traces.told(deps.shard, deltas_sent);
    traces.in_effect(deps.shard, deltas_applied, scene_of(deps.env, name));
  }
  bytes_read += events.byte_count();
  owed_bytes += events.byte_count();
}

/// While one record waits for its list, those of all others are read, too.
void presence_shard_state::look_ahead() {
  for (auto& x : waiting)
    while (x.next < x.events->size()) {
      read_next(x);
      auto& record = x.ahead.back();
      if (auto user = ledger->lacks_rows(record.change);
          record.parsed.ok() && user)
        keeper->members().want_list(*user);
    }
}

void presence_shard_state::read_next(waiting_pull& from) const {
  auto& x = from.ahead.emplace_back();
  x.raw = (*from.events)[from.next++];
  x.parsed = parse_presence_update(x.raw.body);
  x.life = from.version_base;
  x.received_at_ns = from.events->received_at_ns;
  x.change.version = log_position{x.life + x.raw.pos.value};
  x.change.stored_at_ns = x.raw.stored_at_ns;
  x.change.user = x.raw.channel;
  x.change.update = std::move(x.parsed.update);
}

/// Makes sure that the shards have the rows `x` builds on. False if they have
/// to be read first.
bool presence_shard_state::bring_rows(incoming& x) {
  auto user = x.parsed.ok() ? ledger->lacks_rows(x.change) : std::nullopt;
  if (!user)
    return true;
  auto list = keeper->members().list_of(*user);
  if (!list)
    return false;
  changes.clear();
  ledger->restore(*user, list->channels, x.change, changes);
  for (auto& change : changes)
    outbound->add(change.to, std::move(change.change));
  keeper->members().restored();
  x.is_list_lost = list->is_lost;
  return true;
}

void presence_shard_state::apply(incoming& x) {
  counts->updates.add();
  if (!refused.empty())
    refused.saw(x.change.user, x.change.version);
  if (!x.parsed.ok()) {
    ledger->skip(x.change.user, x.change.version);
    refuse(x, x.parsed.reason, x.parsed.detail);
    return;
  }
  if (is_too_much(x.change) || settle_refusal(x.change)) {
    ledger->skip(x.change.user, x.change.version);
    return;
  }
  changes.clear();
  auto outcome = ledger->apply(x.change, now, changes);
  for (auto& change : changes) {
    if (named_shards >> change.to.value & 1)
      change.change.user_name = x.change.user;
    outbound->add(change.to, std::move(change.change));
  }
  if (watched.contains(x.change.user))
    touched.insert(x.change.user);
  if (outcome.reason != presence_reject::none) {
    x.parsed.has_op = true;
    refuse(x, outcome.reason, outcome.detail);
    return;
  }
  keeper->members().follow(x.change, outcome);
  auto& traces = deps.env.counts->traces;
  if (traces.is_watched())
    traces.applied(deps.shard, x.change.user, x.raw.pos, x.received_at_ns,
                   scene_of(deps.env, name));
  announce(x, outcome);
}

/// Has the answer sent once the change is in effect.
void presence_shard_state::announce(const incoming& x,
                                    const presence_outcome& outcome) {
  auto& update = x.change.update;
  if (x.is_list_lost) {
    refuse(x, presence_reject::membership_lost,
           "the session is known, but the channels of the user are lost; "
           "send them again");
    return;
  }
  if (update.reply_to.empty() || outcome.is_repeat || !is_new(x))
    return;
  auto op = update.op;
  auto joins = op == presence_op::online || op == presence_op::set
               || op == presence_op::join;
  presence_answer answer;
  answer.what
      = joins ? presence_answer::status::joined : presence_answer::status::left;
  answer.user = x.change.user;
  answer.op = op;
  answer.version = x.change.version;
  outbound->expect(outcome.shards, update.reply_to, std::move(answer));
}

/// Not one that a life of the node before this has met.
bool presence_shard_state::is_new(const incoming& x) const {
  return replay_to && x.life == version_base && x.raw.pos > *replay_to;
}

void presence_shard_state::refuse(const incoming& x, presence_reject reason,
                                  std::string_view detail) {
  // A replay meets the old mistakes again; they were reported then.
  if (!is_new(x))
    return;
  counts->rejected.add();
  auto subject = subjects::presence_prefix(deps.shard.value) + x.change.user;
  deps.env.control->bury(
      {"presence", subject, x.raw.body, to_string(reason), detail, x.raw.pos});
  auto& update = x.change.update;
  if (update.reply_to.empty())
    return;
  presence_answer answer;
  answer.what = presence_answer::status::rejected;
  answer.user = x.change.user;
  if (x.parsed.has_op)
    answer.op = update.op;
  answer.version = x.change.version;
  answer.reason = reason;
  answer.detail = detail;
  deps.env.control->answer(update.reply_to, encode(answer));
}

} // namespace fantail
