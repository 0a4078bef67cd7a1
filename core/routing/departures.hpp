// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Places vacated lately: the last member of a row left an instance at a
/// server time. Routing runs behind the stream, so a chat event that was
/// stored before a departure, and is routed after it, still goes to the
/// instance. Not thread safe.
///
/// A row with departures is pinned in the table, so that it is not recycled.
/// `record` and `expire` report the rows whose last departure was forgotten;
/// a later `record` may have given such a row a new one.
///
/// Bounds: limits::departures_max; beyond it the oldest is forgotten first and
/// counted: an event could then miss an instance that had left already.
///
/// Invariants (check_invariants): entries of one row are linked newest to
/// oldest; `newest_` has exactly the rows with an entry.
class departures {
public:
  /// REQUIRES: entries_max > 0.
  explicit departures(size_t entries_max);

  void record(row_id row, instance_index instance, int64_t left_at_ns,
              std::vector<row_id>& forgotten);

  /// Forgets departures before `routed_until_ns`: every event still to come
  /// was stored then or later. Server times of several presence shards
  /// interleave; an older departure behind a newer one waits for that one,
  /// which costs memory only.
  void expire(int64_t routed_until_ns, std::vector<row_id>& forgotten);

  /// Calls `f(instance_index)` for the instances that left the row when the
  /// event was stored or later. An instance may come twice.
  template <class F>
  void for_each(row_id row, int64_t stored_at_ns, F f) const;

  /// Forgets the oldest departures before `routed_until_ns` while there are
  /// more than `entries_max`: those that only ranges still ask for.
  void trim(size_t entries_max, int64_t routed_until_ns,
            std::vector<row_id>& forgotten);

  bool has(row_id row) const { return newest_.contains(row); }
  bool empty() const noexcept { return entries_.empty(); }
  size_t size() const noexcept { return entries_.size(); }
  /// The time of the newest departure. REQUIRES: there is one.
  int64_t newest_ns() const;

  /// Departures given up because of the bound.
  /// Departures given up because of a bound.
  uint64_t overflowed() const noexcept { return overflowed_; }

  /// Calls `f(row_id)` for every row with a departure.
  template <class F>
  void for_each_row(F f) const {
    for (auto& [row, number] : newest_)
      f(row);
  }

  /// Writes all departures.
  void save(byte_writer& out) const;

  /// Reads them into this empty object. Instances are below `instances`; the
  /// rows have to be checked.
  void load(byte_reader& in, size_t instances);

  /// Gives every instance its new number.
  void renumber(std::span<const instance_index> numbers) {
    for (auto& x : entries_)
      x.instance = numbers[x.instance.value];
  }

  size_t byte_count() const noexcept;
  bool check_invariants() const;

private:
  struct entry {
    int64_t left_at_ns;
    row_id row;
    /// How many entries further forward the row's previous one is; 0: none.
    uint32_t back;
    instance_index instance;
  };

  void forget_oldest(std::vector<row_id>& forgotten);

  size_t entries_max_;
  std::deque<entry> entries_;
  /// Number of the first entry; entries are numbered without gaps.
  uint64_t first_ = 0;
  struct row_departures {
    /// Number of the row's newest entry.
    uint64_t newest;
    /// No departure of the row is later.
    int64_t latest_ns;
  };
  std::unordered_map<row_id, row_departures> newest_;
  uint64_t overflowed_ = 0;
};

template <class F>
void departures::for_each(row_id row, int64_t stored_at_ns, F f) const {
  auto found = newest_.find(row);
  // Most events are later than every departure that is kept for ranges.
  if (found == newest_.end() || stored_at_ns > found->second.latest_ns)
    return;
  for (auto number = found->second.newest; number >= first_;) {
    auto& x = entries_[number - first_];
    if (stored_at_ns <= x.left_at_ns)
      f(x.instance);
    if (x.back == 0)
      return;
    number -= x.back;
  }
}

} // namespace fantail
