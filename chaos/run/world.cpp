// SPDX-License-Identifier: MIT
#include "chaos/run/world.hpp"

#include "core/hash.hpp"

#include <algorithm>
#include <charconv>

namespace fantail::chaos {

namespace {

/// Reads a number and what has to follow it.
template <class T>
bool take_number(std::string_view& text, T& to, std::string_view behind) {
  auto end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, to);
  if (problem != std::errc{})
    return false;
  text.remove_prefix(static_cast<size_t>(rest - text.data()));
  if (!text.starts_with(behind))
    return false;
  text.remove_prefix(behind.size());
  return true;
}

} // namespace

world::world(world_config config) : config_(config) {
  // The name of the run, so that nothing else is taken for ours.
  prefix_ = "chaos" + std::to_string(config.seed) + "-";
  for (channel_number i = 0; i < config_.channels; ++i)
    shards_.push_back(fantail::shard_of(channel_name(i), config_.shards));
}

std::string world::user_name(user_number x) {
  return "cu-" + std::to_string(x);
}

std::string world::session_name(session_number x) {
  return "cs-" + std::to_string(x);
}

std::string world::channel_name(channel_number x) {
  return "cc-" + std::to_string(x);
}

std::string world::instance_name(instance_number x) {
  return "ci-" + std::to_string(x);
}

std::optional<uint32_t> world::number_in(std::string_view name) {
  uint32_t result = 0;
  name.remove_prefix(std::min(name.find('-') + 1, name.size()));
  if (!take_number(name, result, "") || !name.empty())
    return std::nullopt;
  return result;
}

channel_number world::draw_channel(instance_number home,
                                   std::mt19937_64& random) const {
  auto step = random() % config_.spread;
  auto row
      = random()
        % std::max<channel_number>(config_.channels / config_.instances, 1);
  auto column = (home + step) % config_.instances;
  return static_cast<channel_number>((row * config_.instances + column)
                                     % config_.channels);
}

std::vector<channel_number> world::channels_of(user_number x) const {
  std::mt19937_64 random{config_.seed * 1'000'003 + x};
  std::vector<channel_number> result;
  for (uint32_t i = 0; i < config_.channels_per_user; ++i)
    result.push_back(draw_channel(home_of(x), random));
  std::ranges::sort(result);
  result.erase(std::ranges::unique(result).begin(), result.end());
  return result;
}

shard_id world::shard_of(channel_number x) const {
  return x < shards_.size() ? shards_[x] : shard_id{};
}

std::string world::id_of(event_number x) const {
  return prefix_ + std::to_string(x);
}

std::string world::body_of(event_number event, channel_number channel) const {
  auto result = "{\"event_id\":\"" + id_of(event) + "\",\"channel\":"
                + std::to_string(channel) + ",\"content\":\"";
  // Depends on the event, so that no mixture of two passes.
  auto letter = static_cast<char>('a' + event % 26);
  result.resize(std::max(result.size(), config_.body_bytes), letter);
  return result + "\"}";
}

std::optional<world::content> world::read(std::string_view body) const {
  auto rest = body;
  auto begin = "{\"event_id\":\"" + prefix_;
  if (!rest.starts_with(begin))
    return std::nullopt;
  rest.remove_prefix(begin.size());
  content result{};
  if (!take_number(rest, result.event, "\",\"channel\":")
      || !take_number(rest, result.channel, ",")
      || body != body_of(result.event, result.channel))
    return std::nullopt;
  return result;
}

} // namespace fantail::chaos
