// SPDX-License-Identifier: MIT
#include "core/presence/presence_ledger.hpp"

#include "core/hash.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace fantail {

namespace {

/// Fine enough for a time to live of minutes.
constexpr duration granularity = std::chrono::milliseconds{100};

constexpr uint64_t bit_of(shard_id x) {
  return uint64_t{1} << x.value;
}

bool contains(const std::vector<instance_index>& list, instance_index x) {
  return std::find(list.begin(), list.end(), x) != list.end();
}

presence_outcome refused(presence_reject reason, std::string detail) {
  presence_outcome result;
  result.reason = reason;
  result.detail = std::move(detail);
  return result;
}

/// What `update` does to the channels of its user, if anything.
std::optional<user_change::kind> channels_kind(const presence_update& update) {
  switch (update.op) {
  case presence_op::online:
    return update.has_channels ? std::optional{user_change::kind::set_channels}
                               : std::nullopt;
  case presence_op::set:
    return user_change::kind::set_channels;
  case presence_op::join:
    return user_change::kind::join_channels;
  case presence_op::leave:
    return user_change::kind::leave_channels;
  case presence_op::evict:
    // The shards forget the channels; the user still has them.
    return user_change::kind::set_channels;
  default:
    return std::nullopt;
  }
}

} // namespace

presence_ledger::presence_ledger(presence_ledger_config config,
                                 instance_directory& instances)
    : config_(config), instances_(instances),
      timers_(config.started, granularity), split_(config.shards) {
  assert(config.shards > 0 && config.shards <= limits::shards_max);
}

presence_outcome presence_ledger::apply(const presence_record& record,
                                        time_point now,
                                        std::vector<routed_change>& out) {
  presence_outcome result;
  if (record.version <= applied_) {
    result.is_repeat = true;
    return result;
  }
  assert(!lacks_rows(record));
  skip(record.user, record.version);
  if (!is_token(record.user))
    return refused(presence_reject::illegal_user, "the user is not a token");
  auto* entry = entry_of(record.user);
  auto step = step_of(record.update, entry);
  list_instances(entry, instances_before_);
  result = change_sessions(record, now);
  if (result.reason != presence_reject::none)
    return result;
  result.shards = step.concerned;
  entry = step.after != 0 ? &entry_or_new(record.user) : entry_of(record.user);
  if (!entry)
    return result;
  entry->version = record.version;
  entry->shards = step.after;
  if (step.kind)
    set_evicted(*entry, record.update.op == presence_op::evict);
  list_instances(entry, instances_after_);
  auto user = *users_.find(record.user);
  tell_all(step, user, record, out);
  result.user = user;
  result.is_online = entry->session_count > 0;
  result.is_resident = !entry->is_evicted;
  result.is_known = !forget_if_gone(user);
  return result;
}

std::optional<user_handle>
presence_ledger::lacks_rows(const presence_record& record) const {
  if (users_evicted_ == 0 || record.version <= applied_)
    return std::nullopt;
  auto& update = record.update;
  auto needs = update.op == presence_op::join || update.op == presence_op::leave
               || (update.op == presence_op::online && !update.has_channels);
  auto handle = needs ? users_.find(record.user) : std::nullopt;
  return handle && entries_[handle->value].is_evicted ? handle : std::nullopt;
}

void presence_ledger::restore(user_handle user, const channel_list& channels,
                              const presence_record& record,
                              std::vector<routed_change>& out) {
  auto& entry = entries_[user.value];
  assert(entry.is_evicted);
  // During a replay the store may know more than the log has told so far, but
  // it is the log that says which shards know the user.
  split(channels);
  channel_step step{user_change::kind::set_channels, entry.shards, entry.shards,
                    entry.shards};
  instances_before_.clear();
  instances_after_.clear();
  tell_all(step, user, record, out);
  set_evicted(entry, false);
}

void presence_ledger::tell_anew(user_handle user, const channel_list& channels,
                                uint64_t shards,
                                std::vector<routed_change>& out) {
  auto& entry = entries_[user.value];
  if (entry.is_evicted)
    return;
  split(channels);
  auto concerned = entry.shards & shards;
  channel_step step{user_change::kind::set_channels, 0, entry.shards,
                    concerned};
  instances_before_.clear();
  list_instances(&entry, instances_after_);
  // It comes from no record, so that no position makes it a repeat.
  tell_all(step, user, {}, out);
}

void presence_ledger::skip(std::string_view user, log_position version) {
  applied_ = std::max(applied_, version);
  if (auto* entry = entry_of(user))
    entry->version = std::max(entry->version, version);
}

void presence_ledger::heartbeat(instance_index instance, time_point now) {
  if (instance.value >= heartbeats_.size())
    heartbeats_.resize(instance.value + size_t{1});
  auto& last = heartbeats_[instance.value];
  last = std::max(last, tick_of(now));
}

void presence_ledger::end_sessions(instance_index instance, time_point now) {
  for (session_table::slot x = 0; x < sessions_.slot_end(); ++x) {
    // A slot that is free has no timer.
    if (sessions_[x].instance != instance || !timers_.is_scheduled(x))
      continue;
    sessions_[x].is_ended = true;
    timers_.schedule(x, now);
  }
}

void presence_ledger::tick(time_point now, std::vector<expired_session>& out) {
  fired_.clear();
  timers_.advance(now, fired_);
  for (auto x : fired_) {
    auto& session = sessions_[x];
    // Heartbeats only write down when they came: the timer asks for them now.
    auto expiry = expiry_of(session);
    auto is_expired = expiry <= now;
    mark_expired(session, is_expired);
    timers_.schedule(x, is_expired ? now + config_.report_interval : expiry);
    if (is_expired)
      out.push_back({std::string{users_.name_of(session.user)},
                     std::string{sessions_.name_of(x)},
                     entries_[session.user.value].version});
  }
}

/// The part of a record that is about sessions.
presence_outcome presence_ledger::change_sessions(const presence_record& record,
                                                  time_point now) {
  switch (record.update.op) {
  case presence_op::online:
    return put_session(record, now);
  case presence_op::offline:
  case presence_op::expire:
    return drop_session(record);
  default:
    return {};
  }
}

presence_outcome presence_ledger::put_session(const presence_record& record,
                                              time_point now) {
  auto& update = record.update;
  auto* entry = entry_of(record.user);
  auto x = entry ? sessions_.find(update.session, entry->sessions)
                 : session_table::none;
  if (x == session_table::none && entry
      && entry->session_count >= limits::sessions_per_user_max)
    return refused(presence_reject::too_many_sessions,
                   "the user has "
                       + std::to_string(limits::sessions_per_user_max)
                       + " sessions already");
  auto instance = instances_.intern(update.instance);
  if (!instance)
    return refused(presence_reject::too_many_instances,
                   "there are " + std::to_string(limits::instances_max)
                       + " instances already");
  if (x == session_table::none) {
    auto& owner = entry_or_new(record.user);
    x = sessions_.add(update.session, *users_.find(record.user),
                      owner.sessions);
    users_online_ += owner.session_count++ == 0 ? 1 : 0;
  } else {
    --sessions_by_instance_[sessions_[x].instance.value];
  }
  begin_session(x, *instance, now);
  return {};
}

/// A session that counts nowhere yet is on `instance` from now on.
void presence_ledger::begin_session(session_table::slot x,
                                    instance_index instance, time_point now) {
  if (sessions_by_instance_.size() <= instance.value)
    sessions_by_instance_.resize(instance.value + size_t{1});
  ++sessions_by_instance_[instance.value];
  auto& session = sessions_[x];
  session.instance = instance;
  session.online_tick = tick_of(now);
  session.is_ended = false;
  mark_expired(session, false);
  timers_.schedule(x, expiry_of(session));
}

presence_outcome presence_ledger::drop_session(const presence_record& record) {
  auto* entry = entry_of(record.user);
  auto x = entry ? sessions_.find(record.update.session, entry->sessions)
                 : session_table::none;
  if (x == session_table::none)
    return refused(presence_reject::unknown_session,
                   "the user has no such session");
  mark_expired(sessions_[x], false);
  --sessions_by_instance_[sessions_[x].instance.value];
  timers_.cancel(x);
  sessions_.remove(x, entry->sessions);
  users_online_ -= --entry->session_count == 0 ? 1 : 0;
  return {};
}

/// Splits the channels by shard into split_; returns the shards they are in.
uint64_t presence_ledger::split(const channel_list& channels) {
  for (auto& part : split_)
    part.clear();
  uint64_t result = 0;
  for (auto channel : channels) {
    auto shard = shard_of(channel, config_.shards);
    split_[shard.value].push_back(channel);
    result |= bit_of(shard);
  }
  return result;
}

/// Splits the update's channels, too.
presence_ledger::channel_step
presence_ledger::step_of(const presence_update& update,
                         const user_entry* entry) {
  auto before = entry ? entry->shards : 0;
  channel_step result{channels_kind(update), before, before, before};
  if (update.op == presence_op::evict) {
    split({});
    auto can = entry && entry->session_count == 0 && !entry->is_evicted;
    return can ? result : channel_step{{}, before, before, 0};
  }
  if (!result.kind)
    return result;
  auto touched = split(update.channels);
  if (result.kind == user_change::kind::set_channels) {
    result.after = touched;
    result.concerned = before | touched;
  } else if (result.kind == user_change::kind::join_channels) {
    result.after = before | touched;
    result.concerned = touched;
  } else {
    // A shard that does not know the user has nothing to leave.
    result.concerned = before & touched;
  }
  return result;
}

void presence_ledger::tell_all(const channel_step& step, user_handle user,
                               const presence_record& record,
                               std::vector<routed_change>& out) {
  user_change change;
  change.user = user;
  change.stored_at_ns = record.stored_at_ns;
  change.version = record.version;
  for (auto left = step.concerned; left != 0; left &= left - 1)
    tell(shard_id{static_cast<uint16_t>(std::countr_zero(left))}, step, change,
         out);
}

/// Says what `to` has to learn. What is added comes first: in doubt a table
/// holds too much rather than too little.
void presence_ledger::tell(shard_id to, const channel_step& step,
                           user_change change,
                           std::vector<routed_change>& out) {
  static const std::vector<instance_index> nowhere;
  auto bit = bit_of(to);
  auto& old_list = step.before & bit ? instances_before_ : nowhere;
  auto& new_list = step.after & bit ? instances_after_ : nowhere;
  // Channels first: a new instance must not see what the user has left.
  if (step.kind) {
    auto& told = out.emplace_back(routed_change{to, change}).change;
    told.what = *step.kind;
    told.instance = instance_index{};
    told.channels = std::move(split_[to.value]);
  }
  change.what = user_change::kind::add_instance;
  for (auto instance : new_list)
    if (!contains(old_list, instance)) {
      change.instance = instance;
      out.push_back({to, change});
    }
  change.what = user_change::kind::remove_instance;
  for (auto instance : old_list)
    if (!contains(new_list, instance)) {
      change.instance = instance;
      out.push_back({to, change});
    }
}

presence_ledger::user_entry* presence_ledger::entry_of(std::string_view user) {
  auto handle = users_.find(user);
  return handle ? &entries_[handle->value] : nullptr;
}

presence_ledger::user_entry&
presence_ledger::entry_or_new(std::string_view user) {
  auto handle = users_.find(user);
  if (!handle)
    handle = users_.add(user);
  if (handle->value == entries_.size())
    entries_.emplace_back();
  return entries_[handle->value];
}

void presence_ledger::set_evicted(user_entry& x, bool is_evicted) {
  users_evicted_ += is_evicted ? 1 : 0;
  users_evicted_ -= x.is_evicted ? 1 : 0;
  x.is_evicted = is_evicted;
}

bool presence_ledger::forget_if_gone(user_handle user) {
  auto& entry = entries_[user.value];
  if (entry.session_count > 0 || entry.shards != 0)
    return false;
  entry = user_entry{};
  users_.remove(user);
  return true;
}

/// The distinct instances on which the user has sessions.
void presence_ledger::list_instances(const user_entry* entry,
                                     std::vector<instance_index>& out) const {
  out.clear();
  auto x = entry ? entry->sessions : session_table::none;
  for (; x != session_table::none; x = sessions_[x].next)
    if (!contains(out, sessions_[x].instance))
      out.push_back(sessions_[x].instance);
}

time_point presence_ledger::expiry_of(const session_table::session& x) const {
  if (x.is_ended)
    return time_point::min();
  auto newest = x.online_tick;
  if (x.instance.value < heartbeats_.size())
    newest = std::max(newest, heartbeats_[x.instance.value]);
  // Ticks are rounded down; one more, so that nobody expires early.
  return config_.started + (newest + int64_t{1}) * granularity + config_.ttl;
}

uint32_t presence_ledger::tick_of(time_point now) const {
  auto ticks = (now - config_.started) / granularity;
  return static_cast<uint32_t>(std::max<int64_t>(ticks, 0));
}

void presence_ledger::mark_expired(session_table::session& x, bool is_expired) {
  zombies_ += is_expired ? 1 : 0;
  zombies_ -= x.is_expired ? 1 : 0;
  x.is_expired = is_expired;
}

} // namespace fantail
