// SPDX-License-Identifier: MIT
#include "core/routing/shard_router.hpp"

#include <algorithm>
#include <cassert>

namespace fantail {

namespace {

/// Events whose lookups overlap.
constexpr size_t events_per_batch = 64;

/// Entries kept per presence shard to tell which deltas are drained; beyond
/// it neighbours are merged and drain together.
constexpr size_t waiting_max = 4096;

/// x % count for 16-bit numbers, without a division.
/// Source: D. Lemire, O. Kaser, N. Kurz, "Faster remainder by direct
/// computation", Software: Practice and Experience 49(6), 2019.
class remainder_by {
public:
  explicit remainder_by(size_t count)
      : count_(static_cast<uint32_t>(count)),
        inverse_(UINT32_MAX / count_ + 1) {}

  size_t operator()(uint16_t x) const noexcept {
    uint32_t fraction = inverse_ * x;
    return static_cast<size_t>((uint64_t{fraction} * count_) >> 32);
  }

private:
  uint32_t count_;
  uint32_t inverse_;
};

} // namespace

shard_router::shard_router(shard_id shard, size_t departures_max)
    : shard_(shard), departures_(departures_max) {}

// -- deltas

delta_outcome shard_router::apply(const presence_delta& delta) {
  if (delta.to != shard_ || delta.from.value >= limits::presence_shards_max)
    return delta_outcome::misdirected;
  if (delta.from.value >= lanes_.size())
    lanes_.resize(delta.from.value + 1u);
  auto& from = lanes_[delta.from.value];
  if (delta.number <= from.applied)
    return delta_outcome::repeated;
  if (delta.number != from.applied + 1)
    return delta_outcome::gap;
  from.applied = delta.number;
  ++counters_.deltas;
  auto known = from.log.up_to;
  for (auto& change : delta.changes) {
    if (change.version != log_position{} && change.version <= known)
      continue;
    vacated_.clear();
    if (!watches_.empty())
      watches_.before(table_, delta.from, change);
    table_.apply(delta.from, change, vacated_);
    if (!watches_.empty())
      watches_.after(table_, delta.from, change);
    if (vacated_.empty() || change.stored_at_ns < departures_matter_from())
      continue;
    record_departures(change.stored_at_ns);
    if (!caught_up_ && change.stored_at_ns >= routed_until_ns_)
      wait_for(from, delta.number, change.stored_at_ns);
  }
  table_.release_orphans();
  from.log = {delta.log.life, std::max(known, delta.log.up_to)};
  return delta_outcome::applied;
}

void shard_router::record_departures(int64_t left_at_ns) {
  for (auto& x : vacated_) {
    departures_.record(x.row, x.instance, left_at_ns, forgotten_);
    table_.pin(x.row);
  }
  unpin_forgotten();
}

void shard_router::unpin_forgotten() {
  for (auto row : forgotten_)
    if (!departures_.has(row))
      table_.unpin(row);
  forgotten_.clear();
}

void shard_router::wait_for(lane& from, uint64_t number, int64_t left_at_ns) {
  auto& waiting = from.waiting;
  auto merges
      = !waiting.empty()
        && (waiting.back().number == number || waiting.size() >= waiting_max);
  if (merges)
    waiting.back().left_at_ns = std::max(waiting.back().left_at_ns, left_at_ns);
  else
    waiting.push_back({number, left_at_ns});
}

void shard_router::drain() {
  for (auto& from : lanes_)
    while (
        !from.waiting.empty()
        && (caught_up_ || from.waiting.front().left_at_ns < routed_until_ns_))
      from.waiting.pop_front();
}

void shard_router::idle() {
  caught_up_ = true;
  drain();
}

uint64_t shard_router::applied_number(presence_shard_id from) const noexcept {
  return from.value < lanes_.size() ? lanes_[from.value].applied : 0;
}

log_progress shard_router::log_of(presence_shard_id from) const noexcept {
  return from.value < lanes_.size() ? lanes_[from.value].log : log_progress{};
}

uint64_t shard_router::drained_number(presence_shard_id from) const noexcept {
  if (from.value >= lanes_.size())
    return 0;
  auto& x = lanes_[from.value];
  return x.waiting.empty() ? x.applied : x.waiting.front().number - 1;
}

// -- events

void shard_router::find_rows(
    const pull& events, size_t begin,
    std::span<channel_dictionary::lookup> batch) const {
  for (size_t i = 0; i < batch.size(); ++i)
    batch[i].name = events.channel_of(begin + i);
  table_.channels().find(batch);
  auto& rows = table_.rows();
  for (auto& x : batch)
    if (x.row != no_row)
      rows.prefetch(x.row);
  for (auto& x : batch)
    if (x.row != no_row)
      rows.prefetch_block(x.row);
}

void shard_router::route(const pull& events, std::span<delivery_list> groups) {
  assert(!groups.empty());
  for (auto& group : groups)
    group.clear();
  channel_dictionary::lookup batch[events_per_batch];
  for (size_t begin = 0; begin < events.size();) {
    auto size = std::min(events_per_batch, events.size() - begin);
    find_rows(events, begin, {batch, size});
    for (size_t i = 0; i < size; ++i, ++begin) {
      auto stored_at_ns = events.stored_at_ns(begin);
      routed_until_ns_ = std::max(routed_until_ns_, stored_at_ns);
      if (batch[i].row != no_row)
        deliver(static_cast<uint32_t>(begin), stored_at_ns, batch[i].row,
                groups);
      else
        ++counters_.unroutable;
    }
  }
  counters_.events += events.size();
  // A repeated pull tells nothing about the end of the stream.
  if (events.to >= routed_to_) {
    routed_to_ = events.to;
    caught_up_ = events.pending == 0;
  }
  departures_.expire(departures_matter_from(), forgotten_);
  departures_.trim(limits::departures_for_ranges_max, routed_until_ns_,
                   forgotten_);
  unpin_forgotten();
  drain();
}

void shard_router::deliver(uint32_t event, int64_t stored_at_ns, row_id row,
                           std::span<delivery_list> groups) {
  auto& rows = table_.rows();
  uint64_t deliveries = 0;
  auto group_of = remainder_by{groups.size()};
  auto send = [&](instance_index instance) {
    groups[group_of(instance.value)].instances.push_back(instance);
    ++deliveries;
  };
  rows.for_each_instance(row, send);
  if (rows.pinned(row)) {
    collect_departing(row, stored_at_ns, departing_);
    std::ranges::for_each(departing_, send);
  }
  for (auto& group : groups) {
    auto end = static_cast<uint32_t>(group.instances.size());
    if (end > (group.items.empty() ? 0 : group.items.back().end))
      group.items.push_back({event, end});
  }
  counters_.deliveries += deliveries;
  counters_.unroutable += deliveries == 0;
}

void shard_router::collect_departing(row_id row, int64_t stored_at_ns,
                                     std::vector<instance_index>& out) const {
  out.clear();
  departures_.for_each(row, stored_at_ns, [&](instance_index x) {
    // It may have come back, or have left more than once.
    if (!table_.rows().contains(row, x)
        && std::ranges::find(out, x) == out.end())
      out.push_back(x);
  });
}

void shard_router::select(const pull& events, instance_index instance,
                          std::vector<uint32_t>& selected) const {
  selected.clear();
  auto& rows = table_.rows();
  channel_dictionary::lookup batch[events_per_batch];
  for (size_t begin = 0; begin < events.size();) {
    auto size = std::min(events_per_batch, events.size() - begin);
    find_rows(events, begin, {batch, size});
    for (size_t i = 0; i < size; ++i, ++begin) {
      auto row = batch[i].row;
      if (row == no_row)
        continue;
      auto wanted = rows.contains(row, instance);
      if (!wanted && rows.pinned(row))
        departures_.for_each(row, events.stored_at_ns(begin),
                             [&](auto x) { wanted |= x == instance; });
      if (wanted)
        selected.push_back(static_cast<uint32_t>(begin));
    }
  }
}

// -- inspection

channel_route shard_router::route_of(std::string_view channel) const {
  channel_route result;
  auto row = table_.channels().find(channel);
  if (row == no_row)
    return result;
  auto& rows = table_.rows();
  result.known = true;
  result.members = rows.members(row);
  rows.for_each_instance(row, [&](instance_index x) {
    result.stops.push_back({x, rows.count(row, x)});
  });
  collect_departing(row, INT64_MIN, result.departing);
  return result;
}

table_statistics shard_router::statistics(size_t top) const {
  auto result = table_.statistics(top);
  result.departure_bytes = departures_.byte_count();
  return result;
}

bool shard_router::check_invariants() const {
  for (row_id row; row.value < table_.channels().row_bound(); ++row.value)
    if (table_.channels().in_use(row)
        && table_.rows().pinned(row) != departures_.has(row))
      return false;
  for (auto& from : lanes_)
    for (size_t i = 1; i < from.waiting.size(); ++i)
      if (from.waiting[i - 1].number >= from.waiting[i].number)
        return false;
  return table_.check_invariants() && departures_.check_invariants();
}

} // namespace fantail
