// SPDX-License-Identifier: MIT
// What a presence shard does with a record of its log.
#include "actors/presence_shard.hpp"
#include "core/hash.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/subject.hpp"

#include <utility>

namespace fantail {

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
  for (auto& x : changes) {
    if (named_shards >> x.to.value & 1)
      x.change.user_name = change.user;
    outbound->add(x.to, std::move(x.change));
  }
  if (watched.contains(change.user))
    touched.insert(change.user);
  if (outcome.reason != presence_reject::none) {
    refuse(record, change.update, true, outcome.reason, outcome.detail);
    return;
  }
  if (change.update.reply_to.empty() || outcome.is_repeat || !is_new(record))
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

/// Not one that a life of the node before this has met.
bool presence_shard_state::is_new(const chat_event& record) const {
  return replay_to && record.pos > *replay_to;
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
  if (!is_new(record))
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

} // namespace fantail
