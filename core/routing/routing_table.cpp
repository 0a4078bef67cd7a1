// SPDX-License-Identifier: MIT
#include "core/routing/routing_table.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

namespace fantail {

namespace {

/// Names resolved together: enough to hide a miss, few enough that what was
/// prefetched is still in the first-level cache.
constexpr size_t names_per_batch = 32;

} // namespace

// -- changes

void routing_table::apply(presence_shard_id home, const user_change& change,
                          std::vector<vacancy>& vacated) {
  auto user = user_key{home, change.user};
  switch (change.what) {
  case user_change::kind::add_instance:
  case user_change::kind::remove_instance:
    change_instance(user, change, vacated);
    break;
  default:
    change_rows(user, change, vacated);
  }
}

void routing_table::change_instance(user_key user, const user_change& change,
                                    std::vector<vacancy>& vacated) {
  auto instance = change.instance;
  if (instance.value >= limits::instances_max) {
    ++changes_refused_;
    return;
  }
  auto comes = change.what == user_change::kind::add_instance;
  auto changed = comes ? users_.add_instance(user, instance)
                       : users_.remove_instance(user, instance);
  if (!changed)
    return;
  had_.clear();
  users_.rows_of(user, had_);
  visit_ahead(rows_, had_, [&](row_id row) {
    if (comes)
      rows_.add(row, instance);
    else if (rows_.remove(row, instance))
      vacated.push_back({row, instance});
  });
}

void routing_table::change_rows(user_key user, const user_change& change,
                                std::vector<vacancy>& vacated) {
  auto leaves = change.what == user_change::kind::leave_channels;
  auto replaces = change.what == user_change::kind::set_channels;
  resolve(change.channels, !leaves);
  had_.clear();
  users_.rows_of(user, had_);
  added_.clear();
  removed_.clear();
  if (leaves)
    std::ranges::set_intersection(had_, named_, std::back_inserter(removed_));
  else
    std::ranges::set_difference(named_, had_, std::back_inserter(added_));
  if (replaces)
    std::ranges::set_difference(had_, named_, std::back_inserter(removed_));
  auto kept = had_.size() - removed_.size();
  bound_added(limits::channels_per_user_max - kept);
  if (added_.empty() && removed_.empty())
    return;
  // Adding comes first: a row must not look empty between the two.
  instances_.clear();
  users_.instances_of(user, instances_);
  add_rows(instances_);
  remove_rows(instances_, vacated);
  result_.clear();
  std::ranges::set_union(had_, added_, std::back_inserter(result_));
  had_.clear();
  std::ranges::set_difference(result_, removed_, std::back_inserter(had_));
  users_.assign_rows(user, had_);
}

void routing_table::bound_added(size_t room) {
  if (added_.size() <= room)
    return;
  memberships_refused_ += added_.size() - room;
  added_.resize(room);
}

void routing_table::add_rows(std::span<const instance_index> instances) {
  visit_ahead(rows_, added_, [&](row_id row) {
    rows_.add_member(row);
    for (auto instance : instances)
      rows_.add(row, instance);
  });
}

void routing_table::remove_rows(std::span<const instance_index> instances,
                                std::vector<vacancy>& vacated) {
  visit_ahead(rows_, removed_, [&](row_id row) {
    if (rows_.drop_member(row) == 0)
      orphans_.push_back(row);
    for (auto instance : instances)
      if (rows_.remove(row, instance))
        vacated.push_back({row, instance});
  });
}

// -- names -> rows

/// Leaves the rows of `names` in `named_`, sorted and without repeats.
void routing_table::resolve(const channel_list& names, bool make_missing) {
  channel_dictionary::lookup batch[names_per_batch];
  named_.clear();
  for (auto i = names.begin(); i != names.end();) {
    size_t size = 0;
    for (; size < names_per_batch && i != names.end(); ++i)
      batch[size++].name = *i;
    resolve_batch({batch, size}, make_missing);
  }
  std::ranges::sort(named_);
  auto repeats = std::ranges::unique(named_);
  named_.erase(repeats.begin(), repeats.end());
}

void routing_table::resolve_batch(std::span<channel_dictionary::lookup> batch,
                                  bool make_missing) {
  channels_.find(batch);
  for (auto& x : batch) {
    if (x.row == no_row) {
      if (!make_missing)
        continue;
      // A new row counts as an orphan until it has a member, in case the
      // membership is refused.
      if (channels_.intern(x)) {
        rows_.open(x.row);
        orphans_.push_back(x.row);
      }
    }
    rows_.prefetch(x.row);
    named_.push_back(x.row);
  }
}

// -- the life of rows

bool routing_table::is_orphan(row_id row) const noexcept {
  return channels_.in_use(row) && rows_.members(row) == 0 && !rows_.pinned(row);
}

void routing_table::release_orphans() {
  for (auto row : orphans_)
    if (is_orphan(row))
      channels_.erase(row);
  orphans_.clear();
}

void routing_table::unpin(row_id row) {
  rows_.set_pinned(row, false);
  if (is_orphan(row))
    channels_.erase(row);
}

// -- inspection

table_statistics routing_table::statistics(size_t top) const {
  table_statistics result;
  result.channels = channels_.size();
  result.users_online = users_.users_online();
  result.memberships = users_.memberships();
  result.memberships_refused = memberships_refused_;
  result.changes_refused = changes_refused_;
  result.users_on = users_.users_on();
  result.dictionary_bytes = channels_.byte_count();
  result.row_bytes = rows_.byte_count();
  result.user_bytes = users_.byte_count();
  std::vector<row_id> in_use;
  for (row_id row; row.value < channels_.row_bound(); ++row.value) {
    if (!channels_.in_use(row))
      continue;
    in_use.push_back(row);
    auto border = std::ranges::upper_bound(table_statistics::size_borders,
                                           rows_.members(row));
    ++result.channels_by_size[static_cast<size_t>(
        border - table_statistics::size_borders.begin())];
  }
  auto middle
      = in_use.begin() + static_cast<ptrdiff_t>(std::min(top, in_use.size()));
  std::ranges::partial_sort(in_use, middle, std::greater<>{}, [&](row_id row) {
    return std::pair{rows_.members(row), ~row.value};
  });
  for (auto i = in_use.begin(); i != middle; ++i)
    result.top_channels.push_back({std::string{channels_.name_of(*i)},
                                   rows_.members(*i), rows_.spread(*i)});
  return result;
}

uint64_t routing_table::digest() const {
  uint64_t result = 0;
  for (row_id row; row.value < channels_.row_bound(); ++row.value)
    if (channels_.in_use(row))
      result += rows_.digest(row, table_hash(channels_.name_of(row)));
  return result;
}

bool routing_table::check_invariants() const {
  std::map<row_id, uint32_t> members;
  std::map<std::pair<row_id, instance_index>, uint32_t> counts;
  std::vector<row_id> rows;
  std::vector<instance_index> instances;
  users_.for_each([&](user_key user) {
    rows.clear();
    users_.rows_of(user, rows);
    instances.clear();
    users_.instances_of(user, instances);
    for (auto row : rows) {
      ++members[row];
      for (auto instance : instances)
        ++counts[{row, instance}];
    }
  });
  size_t entries = 0;
  for (row_id row; row.value < channels_.row_bound(); ++row.value) {
    if (!channels_.in_use(row))
      continue;
    auto has = members.contains(row) ? members[row] : 0;
    if (rows_.members(row) != has || !rows_.check_invariants(row))
      return false;
    auto forgotten = has == 0 && !rows_.pinned(row);
    if (forgotten && std::ranges::find(orphans_, row) == orphans_.end())
      return false;
    entries += rows_.spread(row);
  }
  for (auto& [where, count] : counts)
    if (rows_.count(where.first, where.second) != count)
      return false;
  return entries == counts.size() && channels_.check_invariants()
         && users_.check_invariants();
}

} // namespace fantail
