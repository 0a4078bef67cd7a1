// SPDX-License-Identifier: MIT
#include "core/ingest/republisher.hpp"

#include "core/hash.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fantail {

republisher::republisher(uint16_t shards, std::string source)
    : source_(std::move(source)), lanes_(shards) {
  // nop
}

void republisher::begin(std::string_view created_at, position from) {
  // A token for the life keeps the ids of one that was lost apart.
  id_prefix_ = source_ + ":" + std::to_string(fnv1a_32(created_at)) + ":";
  for (auto& x : lanes_)
    x.clear();
  pulls_.clear();
  republished_ = from;
}

void republisher::add(const pull_ptr& events) {
  size_t missing = 0;
  for (uint32_t i = 0; i < events->size(); ++i) {
    auto shard = shard_of(events->channel_of(i), shards());
    missing += lane(shard).add({events, i}) ? 1 : 0;
  }
  pulls_.push_back({events, missing});
}

std::string republisher::id_of(position at) const {
  return id_prefix_ + std::to_string(at.value);
}

std::optional<position> republisher::position_in(std::string_view id) const {
  if (!id.starts_with(id_prefix_))
    return std::nullopt;
  auto digits = id.substr(id_prefix_.size());
  position result;
  auto [end, problem] = std::from_chars(
      digits.data(), digits.data() + digits.size(), result.value);
  auto is_whole
      = problem == std::errc{} && end == digits.data() + digits.size();
  return is_whole ? std::optional{result} : std::nullopt;
}

void republisher::found_end(
    shard_id shard, uint64_t attempt,
    const std::optional<shard_writer_port::stream_end>& end, time_point now) {
  if (!end) {
    lane(shard).end_unknown(attempt, now);
    return;
  }
  lane(shard).found_end(attempt, end->last, position_in(end->id), done_);
  take_done();
}

void republisher::answered(const shard_writer_port::answer& x, time_point now) {
  if (x.shard.value >= lanes_.size())
    return;
  lane(x.shard).answered(x, now, done_);
  take_done();
}

void republisher::lost_link() {
  for (auto& x : lanes_)
    x.lost_link();
}

void republisher::take_done() {
  for (auto& x : done_) {
    auto open = std::ranges::lower_bound(pulls_, x.pos(), {},
                                         [](auto& y) { return y.events->to; });
    if (open != pulls_.end() && open->events == x.source)
      --open->missing;
  }
  done_.clear();
}

std::optional<republisher::progress> republisher::take_progress() {
  progress result{republished_, 0};
  while (!pulls_.empty() && pulls_.front().missing == 0) {
    result.to = pulls_.front().events->to;
    result.bytes += pulls_.front().events->byte_count();
    pulls_.pop_front();
  }
  if (result.to == republished_)
    return std::nullopt;
  republished_ = result.to;
  return result;
}

} // namespace fantail
