// SPDX-License-Identifier: MIT
#pragma once

#include "core/routing/hot_channels.hpp"
#include "core/routing/routing_table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fantail {

/// What makes a channel come first.
enum class channel_order : uint8_t {
  members,
  /// Deliveries per second.
  cost,
  /// Instances that an event goes to.
  fanout,
};

/// A channel as operators see it.
struct ranked_channel {
  std::string channel;
  uint32_t members = 0;
  uint16_t fanout = 0;
  double events_per_second = 0;
  double cost_per_second = 0;
};

/// The first `top` channels of a shard. By cost, only those that `hot` knows;
/// otherwise every row is read: about a millisecond per 100,000 channels.
std::vector<ranked_channel> rank_channels(const routing_table& table,
                                          const hot_channels& hot,
                                          channel_order order, size_t top,
                                          time_point now);

/// Whether `a` comes before `b`; the name makes the order of equals the same
/// in every answer.
bool comes_before(const ranked_channel& a, const ranked_channel& b,
                  channel_order order);

} // namespace fantail
