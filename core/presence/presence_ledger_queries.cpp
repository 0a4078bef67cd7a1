// SPDX-License-Identifier: MIT
// What the ledger tells people and tests; nothing here changes it.
#include "core/presence/presence_ledger.hpp"

namespace fantail {

std::optional<presence_ledger::user_state>
presence_ledger::find(std::string_view user) const {
  auto handle = users_.find(user);
  if (!handle)
    return std::nullopt;
  auto& entry = entries_[handle->value];
  user_state result;
  result.handle = *handle;
  result.version = entry.version;
  result.shards = entry.shards;
  result.is_evicted = entry.is_evicted;
  for (auto x = entry.sessions; x != session_table::none; x = sessions_[x].next)
    result.sessions.emplace_back(sessions_.name_of(x), sessions_[x].instance);
  return result;
}

std::optional<std::string> presence_ledger::name_of(user_handle user,
                                                    shard_id shard) const {
  if (user.value >= entries_.size())
    return std::nullopt;
  auto& entry = entries_[user.value];
  if (entry.session_count == 0 || (entry.shards >> shard.value & 1) == 0)
    return std::nullopt;
  return std::string{users_.name_of(user)};
}

bool presence_ledger::has_session(std::string_view user,
                                  std::string_view session) const {
  auto handle = users_.find(user);
  return handle
         && sessions_.find(session, entries_[handle->value].sessions)
                != session_table::none;
}

presence_ledger::user_version
presence_ledger::version_of(user_handle user) const {
  return {users_.name_of(user), entries_[user.value].version};
}

bool presence_ledger::knows(user_handle user) const noexcept {
  if (user.value >= entries_.size())
    return false;
  auto& entry = entries_[user.value];
  return entry.session_count > 0 || entry.shards != 0;
}

bool presence_ledger::is_offline_resident(user_handle user) const noexcept {
  return knows(user) && entries_[user.value].session_count == 0
         && !entries_[user.value].is_evicted;
}

presence_ledger::statistics presence_ledger::stats() const {
  statistics result;
  result.users_online = users_online_;
  result.users_known = users_.size();
  result.sessions = sessions_.size();
  result.users_evicted = users_evicted_;
  result.zombies = zombies_;
  result.bytes = sizeof *this + users_.byte_count() + sessions_.byte_count()
                 + timers_.byte_count() + entries_.size() * sizeof(user_entry);
  result.sessions_by_instance = sessions_by_instance_;
  return result;
}

std::optional<std::string> presence_ledger::check_invariants() const {
  if (auto problem = users_.check_invariants())
    return problem;
  if (auto problem = timers_.check_invariants())
    return problem;
  size_t users = 0, users_online = 0, sessions = 0, zombies = 0, evicted = 0;
  std::vector<uint32_t> by_instance(sessions_by_instance_.size());
  for (uint32_t handle = 0; handle < entries_.size(); ++handle) {
    auto& entry = entries_[handle];
    size_t count = 0;
    for (auto x = entry.sessions; x != session_table::none;
         x = sessions_[x].next) {
      auto& session = sessions_[x];
      ++count;
      ++by_instance[session.instance.value];
      zombies += session.is_expired ? 1 : 0;
      if (session.user.value != handle)
        return "a session is in the chain of another user";
      if (!timers_.is_scheduled(x))
        return "a session has no timer";
    }
    if (count != entry.session_count || count > limits::sessions_per_user_max)
      return "a user's sessions do not add up";
    if (entry.is_evicted && (count > 0 || entry.shards == 0))
      return "a user is evicted and should not be";
    evicted += entry.is_evicted ? 1 : 0;
    sessions += count;
    users_online += count > 0 ? 1 : 0;
    users += count > 0 || entry.shards != 0 ? 1 : 0;
  }
  if (users != users_.size() || entries_.size() != users_.handle_end())
    return "a user without sessions and channels is not forgotten";
  if (sessions != sessions_.size() || sessions != timers_.size())
    return "a session or a timer belongs to nobody";
  if (users_online != users_online_ || zombies != zombies_
      || evicted != users_evicted_ || by_instance != sessions_by_instance_)
    return "the statistics are not what a count gives";
  return std::nullopt;
}

} // namespace fantail
