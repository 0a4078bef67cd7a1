// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::chaos {

struct world_config {
  user_number users = 2'000;
  channel_number channels = 5'000;
  instance_number instances = 20;
  uint32_t channels_per_user = 40;
  /// Instances a channel has members on, as long as users stay at home.
  instance_number spread = 5;
  uint16_t shards = 8;
  size_t body_bytes = 200;
  uint64_t seed = 1;
};

/// Who exists in a run, and how they are called. Everything follows from the
/// seed. Nothing changes after construction, so any thread may ask.
class world {
public:
  explicit world(world_config config);

  const world_config& config() const noexcept { return config_; }

  static std::string user_name(user_number x);
  static std::string session_name(session_number x);
  static std::string channel_name(channel_number x);
  static std::string instance_name(instance_number x);
  /// The number in a name of ours.
  static std::optional<uint32_t> number_in(std::string_view name);

  /// Every other instance speaks `frame`.
  static delivery_format format_of(instance_number x) {
    return x % 2 == 0 ? delivery_format::frame : delivery_format::single;
  }

  instance_number home_of(user_number x) const {
    return static_cast<instance_number>(x % config_.instances);
  }

  /// A channel for a user of that home.
  channel_number draw_channel(instance_number home,
                              std::mt19937_64& random) const;

  /// The channels a user begins with.
  std::vector<channel_number> channels_of(user_number x) const;

  shard_id shard_of(channel_number x) const;

  std::string id_of(event_number x) const;
  std::string body_of(event_number event, channel_number channel) const;

  struct content {
    event_number event;
    channel_number channel;
  };

  /// What a body says; nothing if it is not, byte for byte, one of ours.
  std::optional<content> read(std::string_view body) const;

private:
  world_config config_;
  std::string prefix_;
  std::vector<shard_id> shards_;
};

} // namespace fantail::chaos
