// SPDX-License-Identifier: MIT
#include "bench/population.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>

namespace fantail::bench {

short_name::short_name(std::string_view prefix, uint32_t number,
                       unsigned digits) {
  assert(prefix.size() + std::max(digits, 10u) <= sizeof text_);
  char reversed[10];
  unsigned size = 0;
  for (; number > 0 || size == 0; number /= 10)
    reversed[size++] = static_cast<char>('0' + number % 10);
  std::memcpy(text_, prefix.data(), prefix.size());
  auto* out = text_ + prefix.size();
  for (auto i = size; i < digits; ++i)
    *out++ = '0';
  while (size > 0)
    *out++ = reversed[--size];
  size_ = static_cast<uint8_t>(out - text_);
}

population::population(population_config config) : config_(config) {
  auto& x = config_;
  x.users = std::max(x.users, 1u);
  x.channels = std::max(x.channels, 1u);
  x.instances = std::max(x.instances, uint16_t{1});
  x.channels_per_user = std::min(x.channels_per_user, x.channels);
  x.spread = std::clamp(x.spread, uint16_t{1}, x.instances);
  auto large = x.channels / 100;
  auto medium = x.channels / 10;
  auto at_most = [&](uint32_t members) {
    return std::min(members, x.users);
  };
  classes_[0] = {0, large, at_most(10'000), at_most(100'000)};
  classes_[1] = {large, large + medium, at_most(100), at_most(1'000)};
  classes_[2] = {large + medium, x.channels, at_most(2), at_most(100)};
}

channel_list population::channel_names(const std::vector<uint32_t>& channels) {
  channel_list result;
  for (auto channel : channels)
    result.push_back(channel_name(channel));
  return result;
}

void population::channels_of(uint32_t user,
                             std::vector<uint32_t>& channels) const {
  channels.clear();
  fast_random random{fast_random::mix(config_.seed) + user};
  switch (config_.shape) {
  case membership_shape::uniform:
    draw_uniform(random, channels);
    break;
  case membership_shape::size_classes:
    draw_classes(random, channels);
    break;
  case membership_shape::spread:
    walk_spread(user, channels);
  }
  if (is_hot_member(user))
    channels.push_back(0);
  std::ranges::sort(channels);
  auto repeats = std::ranges::unique(channels);
  channels.erase(repeats.begin(), repeats.end());
}

bool population::is_hot_member(uint32_t user) const noexcept {
  if (config_.hot_instances == 0 || instance_of(user) >= config_.hot_instances)
    return false;
  auto turn = user / config_.instances;
  return uint64_t{turn} * config_.hot_instances + instance_of(user)
         < config_.hot_members;
}

void population::draw_uniform(fast_random& random,
                              std::vector<uint32_t>& out) const {
  // Repeats are few unless a user has most of the channels; then the draws
  // get long but still end.
  while (out.size() < config_.channels_per_user) {
    while (out.size() < config_.channels_per_user)
      out.push_back(random.below(config_.channels));
    std::ranges::sort(out);
    auto repeats = std::ranges::unique(out);
    out.erase(repeats.begin(), repeats.end());
  }
}

uint32_t population::wanted_members(const size_class& x,
                                    uint32_t channel) const noexcept {
  auto roll = fast_random::mix(config_.seed ^ (uint64_t{channel} << 32));
  return x.members_min
         + static_cast<uint32_t>(roll % (x.members_max - x.members_min + 1));
}

/// Every user is in a channel with the probability wanted members / users,
/// independently. Within a class the walk jumps from candidate to candidate
/// as if every channel had the most members, and keeps a candidate with the
/// share its channel really has.
void population::draw_classes(fast_random& random,
                              std::vector<uint32_t>& out) const {
  for (auto& x : classes_) {
    auto chance = 1.0 * x.members_max / config_.users;
    auto scale = chance < 1 ? 1 / std::log1p(-chance) : 0;
    double at = x.begin;
    while (true) {
      at += std::floor(std::log1p(-random.unit()) * scale);
      if (at >= x.end)
        break;
      auto channel = static_cast<uint32_t>(at);
      if (random.below(x.members_max) < wanted_members(x, channel))
        out.push_back(channel);
      at += 1;
    }
  }
}

/// Channel c is at home on instance c mod N and reaches the `spread`
/// instances from there on. The users of an instance take turns through the
/// channels that reach it, in a scattered order.
void population::walk_spread(uint32_t user, std::vector<uint32_t>& out) const {
  auto instances = uint32_t{config_.instances};
  auto instance = user % instances;
  auto turn = user / instances;
  for (uint32_t hop = 0; hop < config_.spread; ++hop) {
    auto home = (instance + instances - hop) % instances;
    auto size = home_size(home);
    auto count = std::min(per_home(), size);
    auto stride = uint64_t{0x9E3779B1u};
    while (size > 0 && std::gcd(stride, uint64_t{size}) > 1)
      ++stride;
    for (uint32_t i = 0; i < count; ++i) {
      auto place = (uint64_t{turn} * count + i) % size * stride % size;
      out.push_back(home + instances * static_cast<uint32_t>(place));
    }
  }
}

/// Number of channels at home on an instance.
uint32_t population::home_size(uint32_t home) const noexcept {
  return config_.channels / config_.instances
         + (home < config_.channels % config_.instances);
}

uint32_t population::per_home() const noexcept {
  return std::max(1u, config_.channels_per_user / config_.spread);
}

double population::members_of(uint32_t channel) const noexcept {
  if (config_.shape == membership_shape::size_classes)
    for (auto& x : classes_)
      if (channel < x.end)
        return wanted_members(x, channel);
  return 1.0 * config_.channels_per_user * config_.users / config_.channels;
}

bool population::has_exact_spread() const noexcept {
  if (config_.shape != membership_shape::spread)
    return false;
  auto users_per_instance = uint64_t{config_.users / config_.instances};
  return users_per_instance * std::min(per_home(), home_size(0))
         >= home_size(0);
}

traffic_sampler::traffic_sampler(uint32_t channels, double exponent,
                                 uint64_t seed)
    : random_(seed), channels_(channels), exponent_(exponent),
      integral_first_(integral(1.5) - 1),
      integral_last_(integral(channels + 0.5)),
      shortcut_(2 - inverse_integral(integral(2.5) - weight(2))) {}

double traffic_sampler::weight(double x) const {
  return std::exp(-exponent_ * std::log(x));
}

/// Integral of `weight`; written so that it stays exact near exponent 1.
double traffic_sampler::integral(double x) const {
  auto log_x = std::log(x);
  auto power = (1 - exponent_) * log_x;
  return std::abs(power) < 1e-8 ? log_x : std::expm1(power) / power * log_x;
}

double traffic_sampler::inverse_integral(double x) const {
  auto power = std::max(-1.0, x * (1 - exponent_));
  return std::exp(std::abs(power) < 1e-8 ? x : std::log1p(power) / power * x);
}

uint32_t traffic_sampler::next() {
  if (exponent_ == 0)
    return random_.below(channels_);
  while (true) {
    auto u
        = integral_last_ + random_.unit() * (integral_first_ - integral_last_);
    auto x = inverse_integral(u);
    auto rank = std::clamp(std::floor(x + 0.5), 1.0, 1.0 * channels_);
    if (rank - x <= shortcut_ || u >= integral(rank + 0.5) - weight(rank))
      return static_cast<uint32_t>(rank) - 1;
  }
}

} // namespace fantail::bench
