// SPDX-License-Identifier: MIT
// What a presence shard tells about its users: to who asks, and who watches.
#include "actors/presence_shard.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

void presence_shard_state::on_find_user(const find_user& x) {
  user_found answer{x.question, ledger->applied(), {}};
  if (auto state = ledger->find(x.user)) {
    answer.version = state->version;
    answer.sessions = std::move(state->sessions);
  }
  self->send(sender_of_current<presence_desk_actor>(self), std::move(answer));
}

void presence_shard_state::describe(json::object& out) const {
  auto seen = ledger->stats();
  out["kind"] = "presence-shard";
  out["shard"] = deps.shard.value;
  out["users"] = uint64_t{seen.users_online};
  out["users_known"] = uint64_t{seen.users_known};
  out["sessions"] = uint64_t{seen.sessions};
  // Every session has one.
  out["timers"] = uint64_t{seen.sessions};
  out["zombies"] = uint64_t{seen.zombies};
  out["bytes"] = uint64_t{seen.bytes};
  out["sequence"] = ledger->applied().value;
  out["unapplied_deltas"] = uint64_t{outbound->unapplied()};
}

void presence_shard_state::on_name_users(const name_users& x) {
  users_named answer{x.question, deps.shard, {}};
  for (auto user : x.users)
    answer.names.push_back(ledger->name_of(user, x.shard).value_or(""));
  self->send(sender_of_current<presence_desk_actor>(self), std::move(answer));
}

void presence_shard_state::on_watch_user(const watch_user& x) {
  desk = sender_of_current<presence_desk_actor>(self);
  if (x.is_on)
    watched.insert(x.user);
  else
    watched.erase(x.user);
}

void presence_shard_state::on_name_changes(const name_changes& x) {
  auto bit = uint64_t{1} << x.shard.value;
  named_shards = x.is_on ? named_shards | bit : named_shards & ~bit;
}

void presence_shard_state::tell_watched() {
  for (auto& user : touched) {
    user_presence_changed news{user, ledger->applied(), {}};
    if (auto state = ledger->find(user)) {
      news.version = state->version;
      for (auto& [session, instance] : state->sessions)
        if (std::ranges::find(news.instances, instance) == news.instances.end())
          news.instances.push_back(instance);
    }
    self->send(desk, std::move(news));
  }
  touched.clear();
}

} // namespace fantail
