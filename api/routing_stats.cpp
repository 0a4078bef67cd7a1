// SPDX-License-Identifier: MIT
#include "api/routing_stats.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <tuple>
#include <vector>

namespace fantail {

namespace {

static_assert(table_statistics::size_borders
              == std::array<uint32_t, 3>{100, 1'000, 10'000});
constexpr std::array size_classes{"<100", "100-1K", "1K-10K", "10K+"};

/// Sixteen digits; JSON numbers would lose the last ones in some readers.
std::string to_hex(uint64_t x) {
  std::array<char, 16> digits{};
  auto end = std::to_chars(digits.data(), digits.data() + 16, x, 16).ptr;
  std::string text{digits.data(), end};
  return std::string(16 - text.size(), '0') + text;
}

json::value channels_by_size(const inspection& x) {
  json::object result;
  for (size_t i = 0; i < size_classes.size(); ++i) {
    uint64_t count = 0;
    for (auto& shard : x.shards())
      count += shard.table.channels_by_size[i];
    result[size_classes[i]] = count;
  }
  return result;
}

json::value top_channels(const inspection& x) {
  std::vector<table_statistics::channel_size> all;
  for (auto& shard : x.shards())
    all.insert(all.end(), shard.table.top_channels.begin(),
               shard.table.top_channels.end());
  // The name makes the order of equals the same in every answer.
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return std::tie(b.members, a.channel) < std::tie(a.members, b.channel);
  });
  all.resize(std::min(all.size(), x.top()));
  json::array result;
  for (auto& channel : all)
    result.push_back(json::object{{"Channel", channel.channel},
                                  {"Members", channel.members},
                                  {"Instances", channel.instances}});
  return result;
}

json::value instance_distribution(const inspection& x,
                                  const instance_directory& instances) {
  std::vector<uint64_t> sessions;
  for (auto& view : x.presence()) {
    auto& counts = view.ledger.sessions_by_instance;
    sessions.resize(std::max(sessions.size(), counts.size()));
    for (size_t i = 0; i < counts.size(); ++i)
      sessions[i] += counts[i];
  }
  json::object result;
  for (size_t i = 0; i < sessions.size(); ++i) {
    auto index = instance_index{static_cast<uint16_t>(i)};
    if (sessions[i] > 0)
      result[std::string{instances.name_of(index)}]
          = json::object{{"Sessions", sessions[i]}};
  }
  return result;
}

json::value shard_list(const inspection& x, const telemetry::node& counts) {
  auto views = x.shards();
  std::ranges::sort(views, {}, &inspection::shard_view::shard);
  json::array result;
  for (auto& view : views) {
    auto i = view.shard.value;
    auto lag = i < counts.shard.size() ? counts.shard[i].lag.get() : 0;
    result.push_back(json::object{{"Shard", i},
                                  {"Epoch", view.epoch.value},
                                  {"RoutedTo", view.routed_to.value},
                                  {"SettledTo", view.settled_to.value},
                                  {"Lag", lag},
                                  {"Channels", view.table.channels},
                                  {"Departures", view.departures}});
  }
  return result;
}

json::value instance_list(const inspection& x) {
  auto views = x.instances();
  std::ranges::sort(views, {}, &inspection::instance_view::name);
  json::array result;
  for (auto& view : views)
    result.push_back(
        json::object{{"Name", view.name},
                     {"Format", to_string(view.format)},
                     {"Incarnation", view.incarnation},
                     {"Lagging", view.is_lagging},
                     {"PendingEvents", view.pending_events},
                     {"PendingBytes", view.pending_bytes},
                     {"UnacknowledgedBytes", view.unacknowledged_bytes}});
  return result;
}

} // namespace

json::value routing_stats(const inspection& x, const telemetry::node& counts,
                          const instance_directory& instances) {
  uint64_t channels = 0, memberships = 0, bytes = 0, digest = 0;
  for (auto& view : x.shards()) {
    channels += view.table.channels;
    memberships += view.table.memberships;
    bytes += view.table.byte_count();
    digest += view.digest;
  }
  uint64_t users = 0, sessions = 0, zombies = 0;
  for (auto& view : x.presence()) {
    users += view.ledger.users_online;
    sessions += view.ledger.sessions;
    zombies += view.ledger.zombies;
  }
  auto per_membership
      = memberships == 0
            ? 0.0
            : static_cast<double>(bytes) / static_cast<double>(memberships);
  return json::object{
      {"TotalChannels", channels},
      {"TotalUsers", users},
      {"Sessions", sessions},
      {"ZombieUsers", zombies},
      {"ChannelsBySize", channels_by_size(x)},
      {"TopChannels", top_channels(x)},
      {"InstanceDistribution", instance_distribution(x, instances)},
      {"Memberships", memberships},
      {"TableBytes", bytes},
      {"BytesPerMembership", per_membership},
      {"Digest", to_hex(digest)},
      {"Shards", shard_list(x, counts)},
      {"Instances", instance_list(x)}};
}

} // namespace fantail
