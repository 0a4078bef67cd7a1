// SPDX-License-Identifier: MIT
#pragma once

#include "core/presence/delta.hpp"
#include "core/routing/channel_dictionary.hpp"
#include "core/routing/row_store.hpp"
#include "core/routing/table_statistics.hpp"
#include "core/routing/user_index.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fantail {

/// The last user of a channel left an instance.
struct vacancy {
  row_id row;
  instance_index instance;

  bool operator==(const vacancy&) const = default;
};

/// Which instances hold online members of each channel of one shard: a
/// dictionary (channel -> row), a row store (row -> instances) and a user
/// index (user -> rows), kept in step. The order of changes of different
/// users does not matter; a repeated change does nothing.
///
/// Misses in memory decide its speed, so names and rows are taken in batches
/// and asked for ahead of their use. Not thread safe.
///
/// Bounds: limits::channels_per_user_max rows per user; what is beyond is
/// refused and counted.
///
/// Invariants (check_invariants): those of the parts; a row's count on an
/// instance is the number of its users who are online there; a row's members
/// are the users who have it; a row without members is pinned or an orphan.
class routing_table {
public:
  /// Applies one change and appends the places it vacated. Rows that nobody
  /// needs any more stay until `release_orphans`, so that a vacancy can still
  /// be pinned.
  void apply(presence_shard_id home, const user_change& change,
             std::vector<vacancy>& vacated);

  /// Frees the rows left without members by earlier changes, unless pinned.
  void release_orphans();

  /// Keeps a row, with its name, while nobody is a member; `unpin` lets go.
  void pin(row_id row) noexcept { rows_.set_pinned(row, true); }
  void unpin(row_id row);

  const channel_dictionary& channels() const noexcept { return channels_; }
  const row_store& rows() const noexcept { return rows_; }
  const user_index& users() const noexcept { return users_; }

  /// Writes the table. REQUIRES: release_orphans was called after the last
  /// change.
  void save(byte_writer& out) const;

  /// Reads it into this empty table, and checks everything: a table that
  /// was loaded without a problem keeps the invariants, except that rows
  /// without members are not pinned yet. Instances are below `instances`.
  void load(byte_reader& in, size_t instances);

  /// Gives every instance its new number, of which no two are the same.
  void renumber(std::span<const instance_index> numbers);

  /// Forgets all users of a presence shard; appends what that vacates.
  void forget(presence_shard_id home, std::vector<vacancy>& vacated);

  /// Sizes and costs with the `top` largest channels. Reads every row: about
  /// a millisecond per 100,000 channels.
  table_statistics statistics(size_t top) const;

  /// What (channel, instance, count) of all rows add up to, whatever their
  /// order: equal tables have equal digests.
  uint64_t digest() const;

  /// Recomputes every row from the users. Slow.
  bool check_invariants() const;

private:
  void change_instance(user_key user, const user_change& change,
                       std::vector<vacancy>& vacated);
  void change_rows(user_key user, const user_change& change,
                   std::vector<vacancy>& vacated);
  void resolve(const channel_list& names, bool make_missing);
  void resolve_batch(std::span<channel_dictionary::lookup> batch,
                     bool make_missing);
  void bound_added(size_t room);
  void add_rows(std::span<const instance_index> instances);
  void remove_rows(std::span<const instance_index> instances,
                   std::vector<vacancy>& vacated);
  bool is_orphan(row_id row) const noexcept;

  channel_dictionary channels_;
  row_store rows_;
  user_index users_;
  /// Rows that may have lost their last member.
  std::vector<row_id> orphans_;
  uint64_t memberships_refused_ = 0;
  uint64_t changes_refused_ = 0;
  // Scratch memory of one change: the rows named, those the user had, those
  // added and removed, and the user's instances.
  std::vector<row_id> named_;
  std::vector<row_id> had_;
  std::vector<row_id> added_;
  std::vector<row_id> removed_;
  std::vector<row_id> result_;
  std::vector<instance_index> instances_;
};

/// Calls `f(row)` for each of `rows`, asking for their memory ahead of time.
template <class F>
void visit_ahead(const row_store& store, std::span<const row_id> rows, F f) {
  constexpr size_t row_ahead = 16;
  constexpr size_t block_ahead = 8;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + row_ahead < rows.size())
      store.prefetch(rows[i + row_ahead]);
    if (i + block_ahead < rows.size())
      store.prefetch_block(rows[i + block_ahead]);
    f(rows[i]);
  }
}

} // namespace fantail
