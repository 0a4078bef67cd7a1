// SPDX-License-Identifier: MIT
#include "core/routing/channel_watches.hpp"

#include <algorithm>
#include <iterator>

namespace fantail {

bool channel_watches::add(const std::string& channel) {
  if (rows_.size() >= limits::watched_channels_max && !rows_.contains(channel))
    return false;
  rows_.emplace(channel, no_row);
  return true;
}

void channel_watches::remove(const std::string& channel) {
  rows_.erase(channel);
}

void channel_watches::look(const routing_table& table, user_key user,
                           std::vector<bool>& online) {
  online.assign(rows_.size(), false);
  if (!table.users().is_online(user))
    return;
  user_rows_.clear();
  table.users().rows_of(user, user_rows_);
  size_t i = 0;
  for (auto& [channel, row] : rows_) {
    // A row belongs to the channel until the channel loses its last member.
    auto& names = table.channels();
    if (row == no_row || !names.in_use(row) || names.name_of(row) != channel)
      row = names.find(channel);
    online[i++] = row != no_row && std::ranges::binary_search(user_rows_, row);
  }
}

void channel_watches::before(const routing_table& table, presence_shard_id home,
                             const user_change& change) {
  look(table, {home, change.user}, before_);
}

void channel_watches::after(const routing_table& table, presence_shard_id home,
                            const user_change& change) {
  look(table, {home, change.user}, after_);
  size_t i = 0;
  for (auto& [channel, row] : rows_) {
    auto is_online = after_[i];
    if (before_[i++] == is_online)
      continue;
    if (change.user_name.empty())
      missed_.push_back(channel);
    else
      changes_.push_back({channel, change.user_name, is_online});
  }
}

void channel_watches::take(std::vector<watched_change>& changes,
                           std::vector<std::string>& missed) {
  std::ranges::move(changes_, std::back_inserter(changes));
  std::ranges::move(missed_, std::back_inserter(missed));
  changes_.clear();
  missed_.clear();
}

} // namespace fantail
