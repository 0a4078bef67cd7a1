// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/routing/channel_dictionary.hpp"
#include "core/routing/paged_array.hpp"
#include "core/routing/prefetch.hpp"
#include "core/routing/slab_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Row -> (instance -> number of users of the channel with a session there),
/// and the number of all members, online or not.
///
/// A row takes the smallest of four encodings:
///
///     inlined  up to 4 instances with counts up to 15, inside the row
///     narrow   sorted; 2 bytes each: 12 bits instance, 4 bits count
///     wide     sorted; 4 bytes each: 16 bits instance, 16 bits count
///     dense    a bitmap of the instances, then a 16-bit count per instance
///
/// A 16-bit count that is full counts on in a side table, so a channel may
/// have any number of members on one instance. Not thread safe.
///
/// Invariants (check_invariants): entries are sorted and never zero; `entries`
/// is their number; a full count alone has a place in the side table.
class row_store {
public:
  /// Makes `row` exist, empty. REQUIRES: it is new or was cleared.
  void open(row_id row) { rows_.make(row.value) = {}; }

  /// Counts one user of the row in or out on `instance`; true if the first
  /// came or the last left. REQUIRES: instance < limits::instances_max; to
  /// remove, the count is not zero.
  bool add(row_id row, instance_index instance);
  bool remove(row_id row, instance_index instance);

  /// How many users of the row are on `instance`.
  uint32_t count(row_id row, instance_index instance) const {
    auto stored = stored_count(rows_[row.value], instance.value);
    return full_count(row, {instance.value, stored});
  }
  bool contains(row_id row, instance_index instance) const {
    return stored_count(rows_[row.value], instance.value) > 0;
  }

  /// Calls `f(instance_index)` in ascending order.
  template <class F>
  void for_each_instance(row_id row, F f) const;

  /// A number that the instances of the row and their counts add up to,
  /// whatever their order and encoding.
  uint64_t digest(row_id row, uint64_t seed) const;

  /// Number of distinct instances.
  uint16_t spread(row_id row) const noexcept {
    return rows_[row.value].entries;
  }

  uint32_t members(row_id row) const noexcept {
    return rows_[row.value].members;
  }
  void add_member(row_id row) noexcept { ++rows_[row.value].members; }
  /// Returns how many are left.
  uint32_t drop_member(row_id row) noexcept {
    return --rows_[row.value].members;
  }

  /// A pinned row is kept although nobody is a member.
  bool pinned(row_id row) const noexcept { return rows_[row.value].pinned; }
  void set_pinned(row_id row, bool x) noexcept { rows_[row.value].pinned = x; }

  /// Asks for the memory of a row that is used soon: first the row, a little
  /// later its block.
  void prefetch(row_id row) const noexcept {
    fantail::prefetch(&rows_[row.value]);
  }
  void prefetch_block(row_id row) const noexcept {
    auto& x = rows_[row.value];
    if (x.kind == encoding::inlined)
      return;
    // Lines nobody reads would push out others that are under way.
    constexpr size_t line_bytes = 64;
    constexpr size_t ahead_max = 4 * line_bytes;
    auto entry_bytes
        = x.kind == encoding::narrow ? sizeof(uint16_t) : sizeof(wide_entry);
    auto* block = blocks_.at(x.block);
    auto bytes = std::min(x.entries * entry_bytes, ahead_max);
    for (size_t at = 0; at < bytes; at += line_bytes)
      fantail::prefetch(block + at);
  }

  /// What the members of the row, and their places, add up to: the sum of
  /// `place_hash` over them.
  uint64_t membership_sum(row_id row) const;

  /// A user who is a member of the row, online on `instance`; or `anywhere`,
  /// online or not. Sums of these compare millions of memberships without
  /// memory.
  static constexpr uint16_t anywhere = UINT16_MAX;
  static uint64_t place_hash(row_id row, uint16_t instance) noexcept {
    // The finalizer of SplitMix64 (S. Vigna, public domain).
    auto x = (uint64_t{row.value} << 16 | instance) + 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }

  /// Writes all rows.
  void save(byte_writer& out) const;

  /// Reads the rows of `channels` into this empty store, and checks them;
  /// none is pinned then. Instances are below `instances`.
  void load(byte_reader& in, const channel_dictionary& channels,
            size_t instances);

  /// Gives every instance its new number, of which no two are the same.
  void renumber(std::span<const instance_index> numbers);

  size_t byte_count() const noexcept;
  bool check_invariants(row_id row) const;

private:
  enum class encoding : uint8_t { inlined, narrow, wide, dense };

  struct wide_entry {
    uint16_t instance;
    uint16_t count;
  };

  static constexpr uint16_t inline_entries = 4;
  static constexpr uint16_t narrow_count_max = 15;
  static constexpr uint16_t wide_count_max = UINT16_MAX;
  /// A dense block in words of 64 columns: the bitmap's word and the counts.
  static constexpr size_t dense_word_bytes = 8 + 64 * 2;

  struct row {
    uint32_t members = 0;
    uint16_t entries = 0;
    encoding kind = encoding::inlined;
    bool pinned = false;
    union {
      uint16_t inlined[inline_entries] = {};
      slab_pool::handle block;
    };
  };
  static_assert(sizeof(row) == 16);

  /// A view of a dense block.
  struct dense_view {
    uint64_t* bits;
    uint16_t* counts;
    size_t words;
  };

  uint16_t* narrow_entries(const row& x) const noexcept;
  wide_entry* wide_entries(const row& x) const noexcept;
  dense_view dense_of(const row& x) const noexcept;
  /// The count as the entry has it; 0 if there is none.
  uint16_t stored_count(const row& x, uint16_t instance) const noexcept;
  uint32_t full_count(row_id id, wide_entry entry) const;
  bool add_narrow(row& x, uint16_t instance);
  bool add_wide(row& x, uint64_t key, uint16_t instance);
  bool add_dense(row& x, uint64_t key, uint16_t instance);
  bool remove_narrow(row& x, uint16_t instance);
  bool remove_wide(row& x, uint64_t key, uint16_t instance);
  bool remove_dense(row& x, uint64_t key, uint16_t instance);
  bool step_up(uint16_t& count, uint64_t key);
  bool step_down(uint16_t& count, uint64_t key);
  /// All entries, counts as stored.
  void decode(const row& x, std::vector<wide_entry>& out) const;
  /// Writes the row anew in its best encoding, with `changed` put in.
  void rewrite(row& x, wide_entry changed);
  void shrink(row& x);
  void encode(row& x, const std::vector<wide_entry>& entries);
  bool is_sound(const row& x, size_t instances) const;
  static bool is_sound(dense_view view, size_t entries);
  void load_beyond(byte_reader& in, const channel_dictionary& channels);

  paged_array<row> rows_;
  slab_pool blocks_;
  /// What a full 16-bit count does not hold, by row and instance.
  std::unordered_map<uint64_t, uint32_t> beyond_;
  std::vector<wide_entry> scratch_;
};

template <class F>
void row_store::for_each_instance(row_id id, F f) const {
  auto& x = rows_[id.value];
  auto visit = [&](size_t i) {
    f(instance_index{static_cast<uint16_t>(i)});
  };
  if (x.kind == encoding::dense) {
    auto view = dense_of(x);
    for (size_t word = 0; word < view.words; ++word)
      for (auto bits = view.bits[word]; bits != 0; bits &= bits - 1)
        visit(word * 64 + static_cast<size_t>(std::countr_zero(bits)));
  } else if (x.kind == encoding::wide) {
    auto* first = wide_entries(x);
    for (size_t i = 0; i < x.entries; ++i)
      visit(first[i].instance);
  } else {
    auto* first = narrow_entries(x);
    for (size_t i = 0; i < x.entries; ++i)
      visit(first[i] >> 4);
  }
}

inline uint16_t* row_store::narrow_entries(const row& x) const noexcept {
  auto* at = x.kind == encoding::inlined
                 ? static_cast<const void*>(x.inlined)
                 : static_cast<const void*>(blocks_.at(x.block));
  return static_cast<uint16_t*>(const_cast<void*>(at));
}

inline row_store::wide_entry*
row_store::wide_entries(const row& x) const noexcept {
  return reinterpret_cast<wide_entry*>(const_cast<char*>(blocks_.at(x.block)));
}

inline row_store::dense_view row_store::dense_of(const row& x) const noexcept {
  auto words = blocks_.capacity(x.block) / dense_word_bytes;
  auto* block = const_cast<char*>(blocks_.at(x.block));
  return {reinterpret_cast<uint64_t*>(block),
          reinterpret_cast<uint16_t*>(block + words * sizeof(uint64_t)), words};
}

} // namespace fantail
