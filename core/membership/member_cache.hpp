// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// The users who are offline and whose rows the routing shards keep all the
/// same, in the order in which they went offline: the first to go is the first
/// to be evicted. Bounded in memberships. The cache says who is to be evicted;
/// it forgets a user only when it is told to.
///
/// A user costs 24 bytes. Not thread safe.
///
/// Invariants: (1) a user in the list is in it once; (2) the memberships add
/// up; (3) links agree in both directions.
class member_cache {
public:
  struct statistics {
    size_t users = 0;
    uint64_t memberships = 0;
    uint64_t memberships_max = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
  };

  explicit member_cache(uint64_t memberships_max) {
    stats_.memberships_max = memberships_max;
  }

  /// The user went offline, in this many channels. Again: only their number
  /// changes.
  void add(user_handle user, uint32_t memberships);

  /// The user is not offline any more, or gone. False if it was not cached.
  bool remove(user_handle user);

  bool contains(user_handle user) const noexcept {
    return user.value < nodes_.size() && nodes_[user.value].is_linked;
  }

  void count_hit() noexcept { ++stats_.hits; }
  void count_miss() noexcept { ++stats_.misses; }
  void count_eviction() noexcept { ++stats_.evictions; }

  /// Appends those who have to go so that the bound holds, at most `max`,
  /// oldest first, but nobody who was named less than `again` ago.
  void list_excess(time_point now, duration again, size_t max,
                   std::vector<user_handle>& out);

  const statistics& stats() const noexcept { return stats_; }
  size_t byte_count() const noexcept {
    return sizeof *this + nodes_.capacity() * sizeof(node);
  }

  /// Calls `f(user)` for everybody, the first to have gone offline first.
  template <class F>
  void for_each(F f) const {
    for (auto x = first_; x != none; x = nodes_[x].next)
      f(user_handle{x});
  }

  std::optional<std::string> check_invariants() const;

private:
  static constexpr uint32_t none = UINT32_MAX;

  struct node {
    uint32_t before = none;
    uint32_t next = none;
    uint32_t memberships = 0;
    bool is_linked = false;
    /// When its eviction was asked for.
    time_point named{};
  };

  /// By handle.
  std::vector<node> nodes_;
  uint32_t first_ = none;
  uint32_t last_ = none;
  statistics stats_;
};

} // namespace fantail
