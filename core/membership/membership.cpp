// SPDX-License-Identifier: MIT
// What follows from the log: who is dirty, who is cached.
#include "core/membership/membership.hpp"

#include "core/membership/member_record.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

/// What a dirty user costs besides the bytes of the changes.
constexpr size_t dirty_overhead_bytes = 256;

} // namespace

membership::membership(membership_config config)
    : config_(config), store_(config.slack_bytes),
      cache_(config.cache_memberships_max),
      move_credit_(limits::member_moved_bytes_per_second,
                   limits::member_moved_bytes_per_second, config.started) {
  // nop
}

membership::list_state& membership::state_of(user_handle user) {
  if (user.value >= lists_.size())
    lists_.resize(user.value + size_t{1});
  return lists_[user.value];
}

// -- start

void membership::found(member_stub x, std::optional<user_handle> user) {
  auto is_new = store_.put_dead({x.sequence, x.bytes});
  // What is damaged only takes up room.
  if (!is_new || x.user.empty())
    return;
  if (user) {
    adopt(*user, x);
    return;
  }
  auto& newest = recovered_[x.user];
  // A record that was moved has the version it had.
  if (newest.version <= x.version)
    newest = std::move(x);
}

void membership::replayed() {
  is_replayed_ = true;
  recovered_.clear();
  store_.settle();
  for (auto user : std::exchange(missing_, {}))
    tell_lost(user);
}

/// The user came up for the first time. A record that is older than this
/// belongs to somebody who had the name before and was forgotten.
void membership::claim_recovered(user_handle user,
                                 const presence_record& record) {
  auto& state = state_of(user);
  if (std::exchange(state.is_known, true))
    return;
  state.version = log_position{record.version.value - 1};
  // A record that is found stays: the user may be forgotten and come up again
  // before the version of the record is reached.
  if (auto i = recovered_.find(record.user); i != recovered_.end())
    adopt(user, i->second);
}

/// Takes `x` for the user's newest record, unless a newer one is known. It may
/// well know more than the log has told so far: changes are absolute, so what
/// the log repeats does not matter.
void membership::adopt(user_handle user, const member_stub& x) {
  auto& state = state_of(user);
  if (x.version < state.version || !store_.claim(user, {x.sequence, x.bytes}))
    return;
  state = {x.version, x.digest, x.digest.count, true};
  missing_.erase(user);
  if (auto i = dirty_.find(user);
      i != dirty_.end() && i->second.version <= x.version)
    become_clean(user);
}

// -- the log

void membership::follow(const presence_record& record,
                        const presence_outcome& outcome) {
  if (!outcome.user)
    return;
  auto user = *outcome.user;
  if (!outcome.is_known) {
    forget(user, record);
    return;
  }
  claim_recovered(user, record);
  if (outcome.is_resident)
    bases_.erase(user);
  note_changes(user, record);
  place_in_cache(user, record, outcome);
}

void membership::note_changes(user_handle user, const presence_record& record) {
  auto& update = record.update;
  auto sets = update.op == presence_op::set
              || (update.op == presence_op::online && update.has_channels);
  auto edits
      = update.op == presence_op::join || update.op == presence_op::leave;
  auto& state = state_of(user);
  // The record has it already.
  if ((!sets && !edits) || record.version <= state.version)
    return;
  auto named = static_cast<uint32_t>(update.channels.size());
  if (sets)
    missing_.erase(user);
  if (sets)
    state.count = named;
  else if (update.op == presence_op::join)
    state.count += named;
  else
    state.count -= std::min(state.count, named);
  if (sets
      && newest_digest(user).value_or(list_digest{})
             == digest_of(update.channels)) {
    become_clean(user);
    return;
  }
  change_list(user, record);
}

/// The digest of the user's newest record, stored or under way.
std::optional<list_digest> membership::newest_digest(user_handle user) const {
  if (auto* x = job_of(user); x && x->is_append)
    return appending_.at(x->ticket).digest;
  return store_.find(user) ? std::optional{lists_[user.value].digest}
                           : std::nullopt;
}

void membership::change_list(user_handle user, const presence_record& record) {
  auto [i, is_new] = dirty_.try_emplace(user);
  auto& x = i->second;
  if (is_new)
    x.user = record.user;
  else
    changes_bytes_ -= weight_of(x);
  x.version = record.version;
  auto& names = record.update.channels;
  if (record.update.op == presence_op::join)
    x.changes.join(names);
  else if (record.update.op == presence_op::leave)
    x.changes.leave(names);
  else
    x.changes.set(names);
  // What may have become smaller is tried again.
  auto may_fit = record.update.op != presence_op::join
                 || x.changes.byte_count() > x.oversized_up_to;
  if (x.oversized_up_to > 0 && may_fit) {
    x.oversized_up_to = 0;
    --oversized_;
  }
  changes_bytes_ += weight_of(x);
  auto* job = job_of(user);
  if (x.oversized_up_to == 0 && (!job || (!job->is_append && !job->for_flush)))
    stand_in_line(user, x);
}

size_t membership::weight_of(const dirty_list& x) noexcept {
  return x.oversized_up_to > 0 ? 0
                               : dirty_overhead_bytes + x.changes.byte_count();
}

void membership::become_clean(user_handle user) {
  auto i = dirty_.find(user);
  if (i == dirty_.end())
    return;
  leave_line(user, i->second);
  changes_bytes_ -= weight_of(i->second);
  oversized_ -= i->second.oversized_up_to > 0 ? 1 : 0;
  dirty_.erase(i);
}

void membership::stand_in_line(user_handle user, dirty_list& x) {
  if (x.turn)
    return;
  x.turn = store_.find(user).sequence;
  line_.emplace(*x.turn, user);
}

void membership::leave_line(user_handle user, dirty_list& x) {
  if (auto turn = std::exchange(x.turn, std::nullopt))
    line_.erase({*turn, user});
}

void membership::place_in_cache(user_handle user, const presence_record& record,
                                const presence_outcome& outcome) {
  if (outcome.is_online) {
    auto was_cached = cache_.remove(user);
    if (was_cached && !record.update.has_channels && is_replayed_)
      cache_.count_hit();
  } else if (outcome.is_resident) {
    cache_.add(user, lists_[user.value].count);
  } else if (cache_.remove(user) && is_replayed_) {
    cache_.count_eviction();
  }
}

void membership::forget(user_handle user, const presence_record& record) {
  become_clean(user);
  cache_.remove(user);
  bases_.erase(user);
  missing_.erase(user);
  if (auto i = jobs_.find(user); i != jobs_.end()) {
    // The answer finds nobody any more.
    if (i->second.is_append)
      appending_.at(i->second.ticket).user.reset();
    else
      reading_.erase(i->second.sequence);
    jobs_.erase(i);
  }
  store_.drop(user);
  state_of(user) = {};
  if (auto i = recovered_.find(record.user);
      i != recovered_.end() && i->second.version <= record.version)
    recovered_.erase(i);
}

// -- inspection

membership::statistics membership::stats() const {
  statistics result;
  result.cache = cache_.stats();
  result.records = store_.records_live();
  result.live_bytes = store_.bytes_live();
  result.stream_bytes = store_.bytes_in_stream();
  result.dirty_users = dirty_.size();
  result.dirty_bytes = changes_bytes_;
  result.oversized_users = oversized_;
  result.reads = reads_;
  result.appends = appends_;
  result.moves = moves_;
  result.lost = lost_count_;
  result.bytes = sizeof *this + store_.byte_count() + cache_.byte_count()
                 + lists_.capacity() * sizeof(list_state) + changes_bytes_
                 + append_bytes_;
  return result;
}

std::optional<std::string> membership::check_invariants() const {
  if (auto problem = store_.check_invariants())
    return problem;
  if (auto problem = cache_.check_invariants())
    return problem;
  size_t bytes = 0, in_line = 0, oversized = 0;
  for (auto& [user, x] : dirty_) {
    bytes += weight_of(x);
    oversized += x.oversized_up_to > 0 ? 1 : 0;
    auto* job = job_of(user);
    auto is_busy = job && (job->is_append || job->for_flush);
    if (x.turn.has_value() == (is_busy || x.oversized_up_to > 0))
      return "a dirty user is in line and should not be, or the reverse";
    if (x.turn && !line_.contains({*x.turn, user}))
      return "a dirty user has a turn that is not in line";
    in_line += x.turn ? 1 : 0;
  }
  if (bytes != changes_bytes_ || oversized != oversized_
      || in_line != line_.size())
    return "the dirty users do not add up";
  size_t append_bytes = 0, reads = 0, appends = 0;
  for (auto& [ticket, x] : appending_) {
    append_bytes += x.record->size();
    appends += x.user ? 1 : 0;
  }
  for (auto& [user, x] : jobs_)
    reads += x.is_append ? 0 : 1;
  if (append_bytes != append_bytes_ || reads != reading_.size()
      || reads + appends != jobs_.size())
    return "the reads and appends under way do not add up";
  return std::nullopt;
}

} // namespace fantail
