// SPDX-License-Identifier: MIT
// Writing and reading a membership.
#include "core/membership/member_record.hpp"
#include "core/membership/membership.hpp"

namespace fantail {

// -- store_ledger

void store_ledger::save(byte_writer& out) const {
  out.put(newest_);
  out.put_count(records_.size());
  for (auto& x : records_) {
    out.put(x.sequence);
    out.put(x.bytes);
    out.put(is_live(x) ? x.user : nobody);
  }
}

void store_ledger::load(byte_reader& in, uint32_t users) {
  auto newest = in.take<uint64_t>();
  constexpr size_t record_bytes = 16;
  for (auto left = in.take_count(record_bytes); left > 0 && in.ok(); --left) {
    auto sequence = in.take<uint64_t>();
    auto at = place{sequence, in.take<uint32_t>()};
    auto user = in.take<uint32_t>();
    auto is_sound = at.sequence <= newest && (user == nobody || user < users)
                    && (user == nobody || !find(user_handle{user}))
                    && put_dead(at);
    if (!in.expect(is_sound, "a record of the members store is out of shape"))
      return;
    if (user != nobody)
      claim(user_handle{user}, at);
  }
  newest_ = newest;
}

// -- membership

void membership::save(byte_writer& out) const {
  out.put_count(lists_.size());
  for (auto& x : lists_) {
    out.put(static_cast<uint8_t>(x.is_known ? 1 : 0));
    if (!x.is_known)
      continue;
    out.put(x.version.value);
    out.put(x.digest.hash);
    out.put(x.digest.count);
    out.put(x.count);
  }
  store_.save(out);
  save_changes(out);
  out.put_count(cache_.stats().users);
  cache_.for_each([&](user_handle user) { out.put(user.value); });
}

/// Everything that happened to the user's list since its newest record; one
/// that is under way may never arrive, so it counts as changes.
list_changes membership::changes_of(user_handle user) const {
  list_changes result;
  auto* job = job_of(user);
  if (job && job->is_append
      && appending_.at(job->ticket).version > lists_[user.value].version) {
    channel_list names;
    member_record::decode(*appending_.at(job->ticket).record, names);
    result.set(names);
  }
  if (auto i = dirty_.find(user); i != dirty_.end())
    result.append(i->second.changes);
  return result;
}

void membership::save_changes(byte_writer& out) const {
  std::set<user_handle> users;
  for (auto& [user, x] : dirty_)
    users.insert(user);
  for (auto& [ticket, x] : appending_)
    if (x.user && x.version > lists_[x.user->value].version)
      users.insert(*x.user);
  out.put_count(users.size());
  for (auto user : users) {
    auto changes = changes_of(user);
    auto i = dirty_.find(user);
    auto version = i != dirty_.end()
                       ? i->second.version
                       : appending_.at(job_of(user)->ticket).version;
    out.put(user.value);
    out.put(version.value);
    out.put(static_cast<uint8_t>(changes.is_whole() ? 1 : 0));
    out.put_count(changes.bytes().size());
    out.copy_from(changes.bytes().data(), changes.bytes().size());
  }
}

void membership::load(byte_reader& in, const presence_ledger& ledger) {
  load_lists(in, ledger);
  store_.load(in, static_cast<uint32_t>(lists_.size()));
  load_changes(in, ledger);
  load_cache(in, ledger);
}

void membership::load_lists(byte_reader& in, const presence_ledger& ledger) {
  auto count = in.take_count(1, UINT32_MAX);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    if (in.take<uint8_t>() == 0)
      continue;
    user_handle user{i};
    if (!in.expect(ledger.knows(user), "a list belongs to nobody"))
      return;
    auto& x = state_of(user);
    x.is_known = true;
    x.version.value = in.take<uint64_t>();
    x.digest.hash = in.take<uint64_t>();
    x.digest.count = in.take<uint32_t>();
    x.count = in.take<uint32_t>();
  }
}

void membership::load_changes(byte_reader& in, const presence_ledger& ledger) {
  constexpr size_t head_bytes = 21;
  for (auto left = in.take_count(head_bytes); left > 0 && in.ok(); --left) {
    user_handle user{in.take<uint32_t>()};
    log_position version{in.take<uint64_t>()};
    auto is_whole = in.take<uint8_t>() != 0;
    std::string bytes(in.take_count(1), '\0');
    in.copy_to(bytes.data(), bytes.size());
    list_changes changes;
    auto is_sound = in.ok() && ledger.knows(user) && !dirty_.contains(user)
                    && version <= ledger.applied()
                    && changes.restore(bytes, is_whole);
    if (!in.expect(is_sound, "changes of a list are out of shape"))
      return;
    state_of(user).is_known = true;
    auto& x = dirty_[user];
    x.user = ledger.version_of(user).name;
    x.changes = std::move(changes);
    x.version = version;
    changes_bytes_ += weight_of(x);
    stand_in_line(user, x);
  }
}

void membership::load_cache(byte_reader& in, const presence_ledger& ledger) {
  for (auto left = in.take_count(sizeof(uint32_t)); left > 0 && in.ok();
       --left) {
    user_handle user{in.take<uint32_t>()};
    if (!in.expect(ledger.is_offline_resident(user) && !cache_.contains(user),
                   "a cached user is not offline"))
      return;
    cache_.add(user, state_of(user).count);
  }
}

} // namespace fantail
