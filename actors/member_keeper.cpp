// SPDX-License-Identifier: MIT
#include "actors/member_keeper.hpp"

#include <caf/send.hpp>

#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

constexpr auto scan_pause = 200ms;

/// A scan that is silent for this long was lost with its connection. One that
/// is only slow goes on beside the next: what is found twice does no harm.
constexpr auto scan_patience = 15s;

} // namespace

member_keeper::member_keeper(member_keeper_deps deps)
    : deps_(std::move(deps)),
      members_(deps_.restored ? std::move(*deps_.restored)
                              : membership{deps_.config}),
      scanned_to_(members_.newest_record()) {
  deps_.restored = nullptr;
  scan();
}

void member_keeper::scan() {
  is_scanning_ = true;
  heard_at_ = deps_.env.clock->now();
  deps_.store->scan(deps_.shard, scanned_to_,
                    [owner = deps_.owner](member_batch x) {
                      caf::anon_send(owner, members_found{std::move(x)});
                    });
}

void member_keeper::on_found(const members_found& x) {
  heard_at_ = deps_.env.clock->now();
  for (auto& record : x.what.records) {
    damaged_ += record.user.empty() ? 1 : 0;
    scanned_to_ = record.sequence;
    members_.found(record, deps_.ledger->handle_of(record.user));
  }
  if (x.what.is_other_stream) {
    members_.forget_store();
    deps_.env.reports->error(
        "presence_shard", "members-store-lost",
        {{"shard", std::to_string(deps_.shard.value)},
         {"what_to_do", "send the channels of all users again"}});
    // Its records may be newer than what is known from snapshot and log.
    scanned_to_ = 0;
    scan();
    return;
  }
  if (x.what.has_failed) {
    is_scanning_ = false;
    scan_again_at_ = heard_at_ + scan_pause;
  }
  if (!x.what.is_last)
    return;
  is_open_ = true;
  if (damaged_ > 0)
    deps_.env.reports->error("presence_shard", "member-records-damaged",
                             {{"shard", std::to_string(deps_.shard.value)},
                              {"count", std::to_string(damaged_)}});
}

void member_keeper::on_read(const member_read& x, time_point now) {
  members_.was_read(x.sequence, x.what, x.record, now);
}

void member_keeper::on_appended(const member_appended& x, time_point now) {
  members_.appended(x.ticket, x.sequence, now);
}

void member_keeper::pump(time_point now) {
  if (!is_open_) {
    auto is_due = is_scanning_ ? now - heard_at_ >= scan_patience
                               : now >= scan_again_at_;
    if (is_due)
      scan();
    return;
  }
  members_.take_work(now, work_);
  auto& owner = deps_.owner;
  for (auto sequence : work_.reads)
    deps_.store->read(
        deps_.shard, sequence,
        [owner, sequence](member_read_result what, std::string record) {
          caf::anon_send(owner, member_read{sequence, what, std::move(record)});
        });
  for (auto& x : work_.appends)
    deps_.store->append(
        deps_.shard, *x.record, [owner, ticket = x.ticket](uint64_t sequence) {
          caf::anon_send(owner, member_appended{ticket, sequence});
        });
  if (work_.purge_before > 0)
    deps_.store->purge(deps_.shard, work_.purge_before);
  for (auto user : work_.evict)
    deps_.evict(user);
  report_lost();
}

void member_keeper::report_lost() {
  for (auto user : members_.take_lost())
    deps_.env.reports->error(
        "presence_shard", "member-list-lost",
        {{"shard", std::to_string(deps_.shard.value)},
         {"user", std::string{deps_.ledger->version_of(user).name}},
         {"what_to_do", "send the channels of this user again"}});
}

void member_keeper::publish_counts(telemetry::presence& to) const {
  auto x = members_.stats();
  to.cached_users.set(x.cache.users);
  to.cached_memberships.set(x.cache.memberships);
  to.cache_memberships_max.set(x.cache.memberships_max);
  to.cache_hits.set(x.cache.hits);
  to.cache_misses.set(x.cache.misses);
  to.cache_evictions.set(x.cache.evictions);
  to.member_records.set(x.records);
  to.member_live_bytes.set(x.live_bytes);
  to.member_stream_bytes.set(x.stream_bytes);
  to.member_dirty_users.set(x.dirty_users);
  to.member_oversized_users.set(x.oversized_users);
  to.member_dirty_bytes.set(x.dirty_bytes);
  to.member_appends.set(x.appends);
  to.member_moves.set(x.moves);
  to.member_lists_lost.set(x.lost);
}

} // namespace fantail
