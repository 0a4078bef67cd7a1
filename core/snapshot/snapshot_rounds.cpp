// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot_rounds.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;
using kind = snapshot_source::kind;

namespace {

constexpr size_t kept_min = 2;
constexpr auto retry_pause = 5s;

} // namespace

snapshot_rounds::snapshot_rounds(const snapshot_rounds_config& config,
                                 time_point now)
    : config_(config), last_round_(now), logs_(config.presence_shards) {
  for (uint16_t i = 0; i < config.presence_shards; ++i) {
    logs_[i].now.shard = presence_shard_id{i};
    kept_[source_of(presence_shard_id{i})];
  }
  for (uint16_t i = 0; i < config.shards; ++i)
    kept_[source_of(shard_id{i})];
}

void snapshot_rounds::found(stored_snapshot x) {
  if (auto i = kept_.find(x.of); i != kept_.end())
    i->second.push_back(std::move(x));
}

void snapshot_rounds::grown(const log_growth& x) {
  if (x.shard.value < logs_.size())
    logs_[x.shard.value].now = x;
}

/// By how much one log may grow.
uint64_t snapshot_rounds::bytes_per_log() const {
  uint64_t images = 0;
  for (auto& [of, snapshots] : kept_)
    if (!snapshots.empty())
      images += snapshots.back().about.image_bytes;
  auto per_log = images / std::max<size_t>(logs_.size(), 1);
  return std::min(std::max(config_.bytes, per_log), config_.bytes_max);
}

bool snapshot_rounds::is_due(const log_state& x, uint64_t bytes_max,
                             bool is_late) const {
  auto& snapshots = kept_.at(source_of(x.now.shard));
  auto before = snapshots.empty() ? log_progress{}
                                  : snapshots.back().about.log_of(x.now.shard);
  if (before.life != x.now.log.life)
    before.up_to = log_position{x.now.version_base};
  auto records = x.now.log.up_to.value
                 - std::min(before.up_to.value, x.now.log.up_to.value);
  return records >= config_.records
         || (records > 0 && x.now.bytes - x.bytes_before >= bytes_max)
         || (records > 0 && is_late);
}

void snapshot_rounds::begin_round(time_point now) {
  last_round_ = now;
  // The map is in order: presence shards before routing shards.
  for (auto& [of, snapshots] : kept_)
    left_in_round_.push_back(of);
}

std::optional<snapshot_source> snapshot_rounds::next(time_point now) {
  if (being_written_ || now < not_before_)
    return std::nullopt;
  if (left_in_round_.empty()) {
    auto is_late = now - last_round_ >= config_.interval;
    auto bytes_max = bytes_per_log();
    if (!std::ranges::any_of(
            logs_, [&](auto& x) { return is_due(x, bytes_max, is_late); }))
      return std::nullopt;
    begin_round(now);
  }
  being_written_ = left_in_round_.front();
  left_in_round_.pop_front();
  if (being_written_->what == kind::presence) {
    auto& log = logs_[being_written_->shard];
    log.bytes_before = log.now.bytes;
  }
  return being_written_;
}

void snapshot_rounds::written(stored_snapshot x) {
  being_written_.reset();
  auto of = x.of;
  found(std::move(x));
  retire(of);
  // A presence shard keeps what routing shards need.
  if (of.what == kind::routing)
    for (auto& log : logs_)
      retire(source_of(log.now.shard));
}

void snapshot_rounds::failed(snapshot_source of, time_point now) {
  being_written_.reset();
  left_in_round_.push_back(of);
  not_before_ = now + retry_pause;
}

/// Drops the snapshots of `of` that nothing needs any more.
void snapshot_rounds::retire(snapshot_source of) {
  auto& snapshots = kept_.at(of);
  auto spare = snapshots.size() - std::min(snapshots.size(), kept_min);
  if (of.what == kind::presence) {
    presence_shard_id shard{of.shard};
    auto needed = needed_behind(shard, true);
    // The newest that every routing shard can start with, and all behind it.
    auto serves_all = [&](auto& x) {
      return x.about.log_of(shard).up_to <= needed;
    };
    while (spare > 0 && !serves_all(snapshots[spare]))
      --spare;
  }
  snapshots.erase(snapshots.begin(),
                  snapshots.begin() + static_cast<ptrdiff_t>(spare));
}

/// The version up to which every kept snapshot contains the log of `x`; 0 if
/// one of another life of the log is kept, or too few.
log_position snapshot_rounds::needed_behind(presence_shard_id x,
                                            bool of_routing_only) const {
  auto life = logs_[x.value].now.log.life;
  log_position result{UINT64_MAX};
  for (auto& [of, snapshots] : kept_) {
    auto is_own = of == source_of(x);
    if (of.what == kind::presence && (of_routing_only || !is_own))
      continue;
    if (snapshots.size() < kept_min)
      return log_position{0};
    for (auto& snapshot : snapshots) {
      auto log = snapshot.about.log_of(x);
      if (log.life != life)
        return log_position{0};
      result = std::min(result, log.up_to);
    }
  }
  return result;
}

snapshot_trim snapshot_rounds::take_trim() {
  snapshot_trim result;
  for (auto& [of, snapshots] : kept_) {
    if (snapshots.size() < kept_min)
      continue;
    auto& trimmed = trimmed_[of];
    auto first = snapshots.front().first;
    if (std::exchange(trimmed, std::max(trimmed, first)) < first)
      result.streams.push_back({of, first});
  }
  for (auto& log : logs_) {
    auto version = needed_behind(log.now.shard, false);
    if (version.value <= log.now.version_base || version.value == UINT64_MAX)
      continue;
    position up_to{version.value - log.now.version_base};
    if (std::exchange(log.trimmed, std::max(log.trimmed, up_to)) < up_to)
      result.logs.push_back({log.now.shard, up_to});
  }
  return result;
}

const std::vector<stored_snapshot>&
snapshot_rounds::kept(snapshot_source of) const {
  return kept_.at(of);
}

} // namespace fantail
