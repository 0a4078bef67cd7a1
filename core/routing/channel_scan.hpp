// SPDX-License-Identifier: MIT
#pragma once

#include "core/routing/routing_table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fantail {

/// Finds the users who are online in a channel, a slice at a time. The table
/// knows the channels of each user and not the reverse, which is what makes it
/// small; so a scan looks at the users one after the other, by their handles,
/// and stops when it has found enough. Between two slices the table may change:
/// what is found is true when it is found.
///
/// Not thread safe.
class channel_scan {
public:
  struct found_user {
    user_key user;
    std::vector<instance_index> instances;
  };

  /// Looks for at most `limit` users, from `from` on. REQUIRES: limit > 0.
  channel_scan(std::string channel, user_key from, uint32_t limit);

  /// Looks at up to `users` more users; true if that was the end.
  bool step(const routing_table& table, size_t users);

  const std::string& channel() const noexcept { return channel_; }
  const std::vector<found_user>& found() const noexcept { return found_; }
  std::vector<found_user> take_found() { return std::move(found_); }

  /// Where the next page begins, if the scan ended because it found enough.
  std::optional<user_key> next() const;

private:
  std::string channel_;
  user_key at_;
  uint32_t limit_;
  bool is_exhausted_ = false;
  std::vector<found_user> found_;
};

/// Instances with users of a channel online, and how many there are on each;
/// none if nobody knows the channel.
std::vector<std::pair<instance_index, uint32_t>>
count_online(const routing_table& table, std::string_view channel);

} // namespace fantail
