// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"
#include "core/routing/routing_table.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// A user came online in a watched channel, or is not online there any more.
struct watched_change {
  std::string channel;
  std::string user;
  bool is_online = false;

  bool operator==(const watched_change&) const = default;
};

/// Sees who comes and goes in the watched channels of one shard, by looking at
/// the table before and after each change of a user. As long as nothing is
/// watched it costs nothing.
///
/// A change that does not name its user (core/presence/delta.hpp) cannot be
/// told: then the channel is in `missed`.
///
/// Not thread safe.
class channel_watches {
public:
  /// False if there are limits::watched_channels_max already.
  bool add(const std::string& channel);
  void remove(const std::string& channel);
  bool empty() const noexcept { return rows_.empty(); }

  /// Call these around every change of the table.
  void before(const routing_table& table, presence_shard_id home,
              const user_change& change);
  void after(const routing_table& table, presence_shard_id home,
             const user_change& change);

  /// Appends what happened since the last call, in order.
  void take(std::vector<watched_change>& changes,
            std::vector<std::string>& missed);

private:
  void look(const routing_table& table, user_key user,
            std::vector<bool>& online);

  /// The watched channels, with their row at the moment or no_row.
  std::map<std::string, row_id, std::less<>> rows_;
  std::vector<watched_change> changes_;
  std::vector<std::string> missed_;
  // Scratch memory: whether the user is online in each of rows_, in order.
  std::vector<bool> before_;
  std::vector<bool> after_;
  std::vector<row_id> user_rows_;
};

} // namespace fantail
