// SPDX-License-Identifier: MIT
// What a presence shard does at the memory limit.
#include "actors/presence_shard.hpp"
#include "core/presence/presence_codec.hpp"

namespace fantail {

/// At the memory limit no session is added. What was online stays, and may
/// change its channels.
bool presence_shard_state::is_too_much(const presence_record& x) {
  auto& update = x.update;
  if (!is_short_of_memory || !is_replayed || update.op != presence_op::online
      || ledger->has_session(x.user, update.session))
    return false;
  counts->refused_for_memory.add();
  refused.add(x.user, update.session, {x.version, update.reply_to});
  return true;
}

/// Whether the record is the `expire` of a session that never was: then the
/// refusal is safe and can be answered.
bool presence_shard_state::settle_refusal(const presence_record& x) {
  if (refused.empty())
    return false;
  auto& update = x.update;
  auto ends
      = update.op == presence_op::expire || update.op == presence_op::offline;
  if (!ends && update.op != presence_op::online)
    return false;
  auto known = refused.settled(x.user, update.session);
  if (!known || !ends)
    return false;
  if (!known->reply_to.empty()) {
    presence_answer answer;
    answer.what = presence_answer::status::rejected;
    answer.user = x.user;
    answer.op = presence_op::online;
    answer.version = known->version;
    answer.reason = presence_reject::memory_limit;
    answer.detail = "the node is at its memory limit; ask again later";
    deps.env.control->answer(known->reply_to, encode(answer));
  }
  if (update.op == presence_op::offline && !update.reply_to.empty()) {
    presence_answer answer;
    answer.what = presence_answer::status::left;
    answer.user = x.user;
    answer.op = update.op;
    answer.version = x.version;
    outbound->expect(0, update.reply_to, std::move(answer));
  }
  return true;
}

} // namespace fantail
