// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/routing/channel_dictionary.hpp"
#include "core/routing/paged_array.hpp"
#include "core/routing/slab_pool.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace fantail {

/// A user as a routing shard knows it: handles are dense within one presence
/// shard only.
struct user_key {
  presence_shard_id home;
  user_handle user;

  bool operator==(const user_key&) const = default;
};

/// User -> the rows of its channels in this shard, and the instances it is
/// online on. Membership outlives sessions: an offline user keeps its rows.
/// A user costs 8 bytes and its row list (core/routing/row_list.hpp); up to
/// two instances fit into the 8 bytes. Not thread safe.
///
/// Invariants (check_invariants): row lists are sorted and without repeats;
/// `memberships` is the sum of their sizes; `users_on(i)` is the number of
/// users whose instances contain i.
class user_index {
public:
  /// Appends the user's rows, ascending. An unknown user has none.
  void rows_of(user_key user, std::vector<row_id>& out) const;

  /// Whether the user has `row`.
  bool has_row(user_key user, row_id row) const;

  /// Replaces the user's rows. REQUIRES: sorted and without repeats.
  void assign_rows(user_key user, std::span<const row_id> rows);

  /// Appends the instances the user is online on.
  void instances_of(user_key user, std::vector<instance_index>& out) const;

  bool is_online(user_key user) const noexcept;

  /// Every home, and every handle of one, ever seen is smaller.
  uint16_t home_end() const noexcept {
    return static_cast<uint16_t>(homes_.size());
  }
  uint32_t handle_end(presence_shard_id home) const noexcept {
    return static_cast<uint32_t>(homes_[home.value].index_end());
  }

  /// True if that changed something.
  bool add_instance(user_key user, instance_index instance);
  bool remove_instance(user_key user, instance_index instance);

  uint64_t memberships() const noexcept { return memberships_; }
  uint64_t users_online() const noexcept { return online_; }
  /// Users online on each instance, by index; absent ones have none.
  const std::vector<uint32_t>& users_on() const noexcept { return users_on_; }

  /// Calls `f(user_key)` for every user that has rows or is online.
  template <class F>
  void for_each(F f) const;

  /// Writes all users.
  void save(byte_writer& out) const;

  /// Reads them into this empty index, and checks them: rows are those of
  /// `channels`, instances are below `instances`. Returns the sum of
  /// row_store::place_hash over all memberships.
  uint64_t load(byte_reader& in, const channel_dictionary& channels,
                size_t instances);

  /// Gives every instance its new number, of which no two are the same.
  void renumber(std::span<const instance_index> numbers);

  size_t byte_count() const noexcept;
  bool check_invariants() const;

private:
  static constexpr uint16_t nowhere = UINT16_MAX;
  /// The user is on three or more instances; they are in `many_`.
  static constexpr uint16_t in_many = UINT16_MAX - 1;

  struct record {
    slab_pool::handle rows = slab_pool::none;
    uint16_t first = nowhere;
    uint16_t second = nowhere;
  };
  static_assert(sizeof(record) == 8);

  static uint64_t many_key(user_key x) noexcept {
    return (uint64_t{x.home.value} << 32) | x.user.value;
  }
  record& make(user_key user);
  const record* find(user_key user) const noexcept;
  bool is_on(const record& x, user_key user, uint16_t instance) const;
  void remove_from_many(record& x, user_key user, instance_index instance);
  void load_many(byte_reader& in, size_t instances);
  bool is_sound(const record& x, user_key user, size_t instances) const;
  void count_in(const record& x, user_key user, std::span<const row_id> rows,
                uint64_t& sum);

  std::vector<paged_array<record>> homes_;
  slab_pool lists_;
  std::unordered_map<uint64_t, std::vector<instance_index>> many_;
  uint64_t memberships_ = 0;
  uint64_t online_ = 0;
  std::vector<uint32_t> users_on_;
};

template <class F>
void user_index::for_each(F f) const {
  for (size_t home = 0; home < homes_.size(); ++home)
    homes_[home].for_each([&](size_t user, const record& x) {
      if (x.rows != slab_pool::none || x.first != nowhere)
        f(user_key{presence_shard_id{static_cast<uint16_t>(home)},
                   user_handle{static_cast<uint32_t>(user)}});
    });
}

} // namespace fantail
