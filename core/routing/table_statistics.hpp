// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fantail {

/// What a routing table holds and what it costs; requirement A8 shows it.
struct table_statistics {
  struct channel_size {
    std::string channel;
    uint32_t members = 0;
    /// Distinct instances with an online member.
    uint16_t instances = 0;
  };

  /// Upper borders of `channels_by_size`; the last class is open.
  static constexpr std::array<uint32_t, 3> size_borders{100, 1'000, 10'000};

  uint64_t channels = 0;
  uint64_t users_online = 0;
  /// (user, channel) pairs, online or not.
  uint64_t memberships = 0;
  /// Memberships refused because the user had limits::channels_per_user_max.
  uint64_t memberships_refused = 0;
  /// Changes that named an impossible instance.
  uint64_t changes_refused = 0;
  /// Channels with members < 100, < 1,000, < 10,000 and more.
  std::array<uint64_t, 4> channels_by_size{};
  /// The channels with most members, most first.
  std::vector<channel_size> top_channels;
  /// Users online on each instance, by index.
  std::vector<uint32_t> users_on;
  /// Bytes taken from the heap, slack included.
  size_t dictionary_bytes = 0;
  size_t row_bytes = 0;
  size_t user_bytes = 0;
  size_t departure_bytes = 0;

  size_t byte_count() const noexcept {
    return dictionary_bytes + row_bytes + user_bytes + departure_bytes;
  }
};

} // namespace fantail
