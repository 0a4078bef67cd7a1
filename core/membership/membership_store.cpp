// SPDX-License-Identifier: MIT
// What is read from the members store and written to it.
#include "core/membership/member_record.hpp"
#include "core/membership/membership.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// Pause before something that failed is tried again.
constexpr auto store_retry_pause = 200ms;

} // namespace

void member_work::clear() {
  reads.clear();
  appends.clear();
  purge_before = 0;
  evict.clear();
}

const membership::job* membership::job_of(user_handle user) const {
  auto i = jobs_.find(user);
  return i == jobs_.end() ? nullptr : &i->second;
}

std::optional<membership::list> membership::list_of(user_handle user) {
  if (!is_at_hand(user)) {
    begin_read(user, true, false);
    return std::nullopt;
  }
  list result;
  if (auto base = bases_.extract(user)) {
    if (base.mapped().sequence == store_.find(user).sequence)
      result = {std::move(base.mapped().channels), base.mapped().is_lost};
  }
  if (auto* job = job_of(user); job && job->is_append)
    member_record::decode(*appending_.at(job->ticket).record, result.channels);
  if (auto dirty = dirty_.find(user); dirty != dirty_.end())
    result.channels = dirty->second.changes.applied_to(result.channels);
  return result;
}

/// Whether list_of would give the list at once.
bool membership::is_at_hand(user_handle user) const {
  auto dirty = dirty_.find(user);
  auto* job = job_of(user);
  auto at = store_.find(user);
  auto base = bases_.find(user);
  return !at || (dirty != dirty_.end() && dirty->second.changes.is_whole())
         || (job && job->is_append)
         || (base != bases_.end() && base->second.sequence == at.sequence);
}

void membership::want_list(user_handle user) {
  if (!is_at_hand(user))
    begin_read(user, true, false);
}

void membership::begin_read(user_handle user, bool for_list, bool for_flush) {
  auto [i, is_new] = jobs_.try_emplace(user);
  auto& x = i->second;
  x.for_list |= for_list;
  x.for_flush |= for_flush;
  if (!is_new)
    return;
  x.sequence = store_.find(user).sequence;
  reading_.emplace(x.sequence, user);
  reads_due_.push_back(x.sequence);
}

void membership::was_read(uint64_t sequence, member_read_result what,
                          std::string_view record, time_point now) {
  auto i = reading_.find(sequence);
  if (i == reading_.end())
    return;
  if (what == member_read_result::unanswered) {
    reads_failed_.push_back(sequence);
    retry_at_ = now + store_retry_pause;
    return;
  }
  auto user = i->second;
  auto was = jobs_.at(user);
  reading_.erase(i);
  jobs_.erase(user);
  ++reads_;
  use_read(user, was,
           what == member_read_result::found ? record : std::string_view{});
}

void membership::use_read(user_handle user, const job& was,
                          std::string_view record) {
  channel_list names;
  auto header = member_record::decode(record, names);
  if (!header || header->version != lists_[user.value].version) {
    lose(user);
    names.clear();
    header.reset();
  }
  if (was.for_flush && dirty_.contains(user))
    write_list(user, names);
  else if (header && !was.for_list && !was.for_flush) {
    ++moves_;
    begin_append(user, std::string{record}, header->version, header->digest);
  }
  if (was.for_list)
    bases_[user] = {store_.find(user).sequence, std::move(names),
                    !header && is_replayed_};
}

/// The user's record is not there any more, or is damaged. During a replay that
/// may be as it should: the last life forgot the user, and purged the record,
/// at a place of the log that is still to come. Then the log does not depend on
/// what the list was.
void membership::lose(user_handle user) {
  store_.drop(user);
  lists_[user.value].digest = {};
  if (is_replayed_)
    tell_lost(user);
  else
    missing_.insert(user);
}

void membership::tell_lost(user_handle user) {
  ++lost_count_;
  lost_.push_back(user);
}

void membership::forget_store() {
  lost_count_ += store_.records_live();
  store_ = store_ledger{config_.slack_bytes};
  for (auto& x : lists_)
    x.digest = {};
}

// -- writing

/// Writes the list of a dirty user, which is not in line any more.
void membership::flush(user_handle user) {
  auto needs_base = !dirty_.at(user).changes.is_whole() && store_.find(user);
  // Where a read is under way, its answer starts the writing.
  if (!needs_base && !jobs_.contains(user))
    write_list(user, {});
  else
    begin_read(user, false, true);
}

void membership::write_list(user_handle user, const channel_list& base) {
  auto& x = dirty_.at(user);
  auto list = x.changes.applied_to(base);
  auto record = member_record::encode(x.user, x.version, list);
  if (!record) {
    keep_oversized(x, list);
    return;
  }
  auto version = x.version;
  // So the store stays small however much is written.
  moves_earned_ = std::min<uint64_t>(moves_earned_ + record->size(),
                                     limits::member_moved_bytes_per_second);
  become_clean(user);
  begin_append(user, std::move(*record), version, digest_of(list));
}

/// A list that fits no record stays where it is, in one piece.
void membership::keep_oversized(dirty_list& x, const channel_list& list) {
  changes_bytes_ -= weight_of(x);
  x.changes.set(list);
  x.oversized_up_to = 2 * x.changes.byte_count();
  ++oversized_;
}

void membership::begin_append(user_handle user, std::string record,
                              log_position version, list_digest digest) {
  if (auto i = dirty_.find(user); i != dirty_.end())
    leave_line(user, i->second);
  auto ticket = next_ticket_++;
  job x;
  x.is_append = true;
  x.ticket = ticket;
  jobs_[user] = x;
  append_bytes_ += record.size();
  appending_[ticket] = {user, std::make_shared<std::string>(std::move(record)),
                        version, digest};
  appends_due_.push_back(ticket);
}

void membership::appended(uint64_t ticket, uint64_t sequence, time_point now) {
  auto i = appending_.find(ticket);
  if (i == appending_.end())
    return;
  if (sequence == 0 && i->second.user) {
    appends_failed_.push_back(ticket);
    retry_at_ = now + store_retry_pause;
    return;
  }
  auto x = std::move(i->second);
  appending_.erase(i);
  append_bytes_ -= x.record->size();
  auto at
      = store_ledger::place{sequence, static_cast<uint32_t>(x.record->size())};
  if (!x.user) {
    store_.put_dead(at);
    return;
  }
  auto user = *x.user;
  jobs_.erase(user);
  ++appends_;
  // Sequences fall only if somebody made the stream anew.
  if (store_.put(user, at))
    lists_[user.value] = {x.version, x.digest, x.digest.count, true};
  else
    lose(user);
  if (auto dirty = dirty_.find(user); dirty != dirty_.end()) {
    if (dirty->second.oversized_up_to == 0)
      stand_in_line(user, dirty->second);
  } else if (cache_.contains(user)) {
    cache_.add(user, x.digest.count);
  }
}

// -- what to do next

bool membership::has_room() const noexcept {
  return reading_.size() < limits::member_reads_max
         && append_bytes_ < limits::member_appends_bytes_max;
}

void membership::pump_flushes() {
  auto max = config_.changes_bytes_max;
  is_flushing_ |= changes_bytes_ > max;
  while (is_flushing_ && has_room()) {
    is_flushing_ = changes_bytes_ > max / 4 * 3 && !line_.empty();
    if (!is_flushing_)
      return;
    auto next = line_.upper_bound(hand_);
    hand_ = next == line_.end() ? *line_.begin() : *next;
    auto user = hand_.second;
    leave_line(user, dirty_.at(user));
    flush(user);
  }
}

void membership::pump_moves(time_point now) {
  movable_.clear();
  store_.list_movable(limits::member_appends_bytes_max, movable_);
  for (auto& x : movable_) {
    if (!has_room())
      return;
    if (jobs_.contains(x.user))
      continue;
    // Who is dirty is written anew instead.
    if (auto i = dirty_.find(x.user);
        i != dirty_.end() && i->second.oversized_up_to == 0) {
      leave_line(x.user, i->second);
      flush(x.user);
      continue;
    }
    if (x.at.bytes <= moves_earned_)
      moves_earned_ -= x.at.bytes;
    else if (!move_credit_.try_take(x.at.bytes, now))
      return;
    begin_read(x.user, false, false);
  }
}

void membership::take_work(time_point now, member_work& out) {
  out.clear();
  if (now >= retry_at_) {
    for (auto sequence : std::exchange(reads_failed_, {}))
      if (reading_.contains(sequence))
        reads_due_.push_back(sequence);
    for (auto ticket : std::exchange(appends_failed_, {}))
      appends_due_.push_back(ticket);
  }
  // What is moved is bounded by what is written, so neither starves the other.
  pump_moves(now);
  pump_flushes();
  hand_out(now, out);
}

void membership::hand_out(time_point now, member_work& out) {
  out.reads.swap(reads_due_);
  for (auto ticket : std::exchange(appends_due_, {}))
    out.appends.push_back({ticket, appending_.at(ticket).record});
  if (auto before = store_.purgeable(config_.purge_bytes)) {
    out.purge_before = before;
    store_.purged(before);
  }
  if (is_replayed_)
    cache_.list_excess(now, limits::eviction_retry, limits::evictions_max,
                       out.evict);
}

} // namespace fantail
