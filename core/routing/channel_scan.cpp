// SPDX-License-Identifier: MIT
#include "core/routing/channel_scan.hpp"

namespace fantail {

channel_scan::channel_scan(std::string channel, user_key from, uint32_t limit)
    : channel_(std::move(channel)), at_(from), limit_(limit) {
  // nop
}

bool channel_scan::step(const routing_table& table, size_t users) {
  // The row is asked for in every slice: a channel that lost its last member
  // may have given it away meanwhile.
  auto row = table.channels().find(channel_);
  auto& index = table.users();
  while (row != no_row && at_.home.value < index.home_end()) {
    if (at_.user.value >= index.handle_end(at_.home)) {
      at_ = {presence_shard_id{static_cast<uint16_t>(at_.home.value + 1)}, {}};
      continue;
    }
    if (found_.size() == limit_)
      return true;
    if (users-- == 0)
      return false;
    if (index.is_online(at_) && index.has_row(at_, row)) {
      auto& x = found_.emplace_back();
      x.user = at_;
      index.instances_of(at_, x.instances);
    }
    ++at_.user.value;
  }
  is_exhausted_ = true;
  return true;
}

std::optional<user_key> channel_scan::next() const {
  if (is_exhausted_)
    return std::nullopt;
  return at_;
}

std::vector<std::pair<instance_index, uint32_t>>
count_online(const routing_table& table, std::string_view channel) {
  std::vector<std::pair<instance_index, uint32_t>> result;
  auto row = table.channels().find(channel);
  if (row == no_row)
    return result;
  table.rows().for_each_instance(row, [&](instance_index x) {
    result.emplace_back(x, table.rows().count(row, x));
  });
  return result;
}

} // namespace fantail
