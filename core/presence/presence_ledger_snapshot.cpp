// SPDX-License-Identifier: MIT
// Writing and reading a presence_ledger.
#include "core/presence/presence_ledger.hpp"
#include "core/subject.hpp"

namespace fantail {

void presence_ledger::save(byte_writer& out) const {
  out.put(config_.shards);
  out.put(applied_.value);
  users_.save(out);
  users_.for_each([&](user_handle user) {
    auto& entry = entries_[user.value];
    out.put(entry.version.value);
    out.put(entry.shards);
    out.put(static_cast<uint8_t>(entry.is_evicted ? 1 : 0));
    out.put(static_cast<uint8_t>(entry.session_count));
    for (auto x = entry.sessions; x != session_table::none;
         x = sessions_[x].next) {
      out.put_text(sessions_.name_of(x));
      out.put(sessions_[x].instance.value);
    }
  });
}

void presence_ledger::load(byte_reader& in,
                           std::span<const instance_index> numbers,
                           time_point now) {
  in.expect(in.take<uint16_t>() == config_.shards,
            "another number of routing shards");
  applied_.value = in.take<uint64_t>();
  users_.load(in);
  if (!in.ok())
    return;
  entries_.resize(users_.handle_end());
  users_.for_each([&](user_handle user) {
    if (in.ok())
      load_user(user, in, numbers, now);
  });
}

void presence_ledger::load_user(user_handle user, byte_reader& in,
                                std::span<const instance_index> numbers,
                                time_point now) {
  auto& entry = entries_[user.value];
  entry.version.value = in.take<uint64_t>();
  entry.shards = in.take<uint64_t>();
  auto is_evicted = in.take<uint8_t>() != 0;
  auto count = in.take<uint8_t>();
  auto is_sound = entry.version <= applied_ && (count > 0 || entry.shards != 0)
                  && count <= limits::sessions_per_user_max
                  && (!is_evicted || count == 0)
                  && (config_.shards == limits::shards_max
                      || entry.shards >> config_.shards == 0);
  if (!in.expect(is_sound, "a user is out of shape"))
    return;
  set_evicted(entry, is_evicted);
  std::vector<std::pair<std::string, instance_index>> newest_first(count);
  for (auto& [name, instance] : newest_first) {
    name = in.take_text();
    auto number = in.take<uint16_t>();
    if (!in.expect(is_token(name) && number < numbers.size(),
                   "a session is out of shape"))
      return;
    instance = numbers[number];
  }
  for (auto i = newest_first.rbegin(); i != newest_first.rend(); ++i) {
    if (!in.expect(sessions_.find(i->first, entry.sessions)
                       == session_table::none,
                   "a session is there twice"))
      return;
    auto x = sessions_.add(i->first, user, entry.sessions);
    users_online_ += entry.session_count++ == 0 ? 1 : 0;
    begin_session(x, i->second, now);
  }
}

} // namespace fantail
