// SPDX-License-Identifier: MIT
#include "core/routing/departures.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace fantail {

static_assert(limits::departures_max <= UINT32_MAX,
              "an entry keeps the distance to another in 32 bits");

departures::departures(size_t entries_max) : entries_max_(entries_max) {}

void departures::record(row_id row, instance_index instance, int64_t left_at_ns,
                        std::vector<row_id>& forgotten) {
  auto number = first_ + entries_.size();
  auto [newest, is_first]
      = newest_.try_emplace(row, row_departures{number, left_at_ns});
  uint32_t back = 0;
  if (!is_first)
    back = static_cast<uint32_t>(number - newest->second.newest);
  newest->second = {number, std::max(newest->second.latest_ns, left_at_ns)};
  entries_.push_back({left_at_ns, row, back, instance});
  if (entries_.size() > entries_max_) {
    forget_oldest(forgotten);
    ++overflowed_;
  }
}

void departures::expire(int64_t routed_until_ns,
                        std::vector<row_id>& forgotten) {
  while (!entries_.empty() && entries_.front().left_at_ns < routed_until_ns)
    forget_oldest(forgotten);
}

void departures::trim(size_t entries_max, int64_t routed_until_ns,
                      std::vector<row_id>& forgotten) {
  while (entries_.size() > entries_max
         && entries_.front().left_at_ns < routed_until_ns) {
    forget_oldest(forgotten);
    ++overflowed_;
  }
}

void departures::forget_oldest(std::vector<row_id>& forgotten) {
  auto row = entries_.front().row;
  auto newest = newest_.find(row);
  if (newest->second.newest == first_) {
    newest_.erase(newest);
    forgotten.push_back(row);
  }
  entries_.pop_front();
  ++first_;
}

int64_t departures::newest_ns() const {
  return std::ranges::max_element(entries_, {}, &entry::left_at_ns)->left_at_ns;
}

void departures::save(byte_writer& out) const {
  out.put_count(entries_.size());
  for (auto& x : entries_) {
    out.put(x.left_at_ns);
    out.put(x.row.value);
    out.put(x.instance.value);
  }
}

void departures::load(byte_reader& in, size_t instances) {
  constexpr size_t entry_bytes
      = sizeof(int64_t) + sizeof(uint32_t) + sizeof(uint16_t);
  std::vector<row_id> forgotten;
  for (auto left = in.take_count(entry_bytes, entries_max_);
       left > 0 && in.ok(); --left) {
    auto left_at_ns = in.take<int64_t>();
    row_id row{in.take<uint32_t>()};
    instance_index instance{in.take<uint16_t>()};
    in.expect(instance.value < instances, "a departure from nowhere");
    record(row, instance, left_at_ns, forgotten);
  }
}

size_t departures::byte_count() const noexcept {
  // A hash node is the pair, a link and the heap's own word.
  constexpr size_t node_bytes = sizeof(std::pair<row_id, row_departures>) + 16;
  return entries_.size() * sizeof(entry) + newest_.size() * node_bytes
         + newest_.bucket_count() * sizeof(void*);
}

bool departures::check_invariants() const {
  std::unordered_map<row_id, uint64_t> newest;
  for (size_t i = 0; i < entries_.size(); ++i) {
    auto number = first_ + i;
    auto& x = entries_[i];
    auto before = newest.find(x.row);
    if (before != newest.end() && number - before->second != x.back)
      return false;
    newest[x.row] = number;
    auto known = newest_.find(x.row);
    if (known == newest_.end() || known->second.latest_ns < x.left_at_ns)
      return false;
  }
  for (auto& [row, known] : newest_)
    if (!newest.contains(row) || newest[row] != known.newest)
      return false;
  return entries_.size() <= entries_max_;
}

} // namespace fantail
