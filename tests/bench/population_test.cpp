// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.population

#include "bench/population.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

using namespace fantail::bench;

namespace {

population_config small(membership_shape shape) {
  population_config result;
  result.users = 2'000;
  result.channels = 1'000;
  result.instances = 20;
  result.channels_per_user = 50;
  result.shape = shape;
  return result;
}

} // namespace

CAF_TEST(names have the digits of the requirement) {
  CAF_CHECK_EQUAL(std::string{population::user_name(42)}, "usr_00000042");
  CAF_CHECK_EQUAL(std::string{population::channel_name(0)}, "ch_00000000");
  CAF_CHECK_EQUAL(std::string{population::channel_name(123'456'789)},
                  "ch_123456789");
  CAF_CHECK_EQUAL(std::string{population::instance_name(7)}, "notif-007");
  CAF_CHECK_EQUAL(std::string{population::instance_name(4095)}, "notif-4095");
}

CAF_TEST(a user has the same channels whenever it is asked) {
  for (auto shape : {membership_shape::uniform, membership_shape::size_classes,
                     membership_shape::spread}) {
    population x{small(shape)}, y{small(shape)};
    std::vector<uint32_t> first, second;
    y.channels_of(5, second);
    x.channels_of(17, first);
    y.channels_of(17, second);
    CAF_CHECK(first == second);
    CAF_CHECK(std::ranges::is_sorted(first));
    CAF_CHECK(std::ranges::adjacent_find(first) == first.end());
    CAF_CHECK_EQUAL(x.instance_of(17), 17u);
  }
}

CAF_TEST(a uniform user has exactly its number of channels) {
  population x{small(membership_shape::uniform)};
  std::vector<uint32_t> channels;
  for (uint32_t user = 0; user < 100; ++user) {
    x.channels_of(user, channels);
    CAF_CHECK_EQUAL(channels.size(), 50u);
    CAF_CHECK_LESS(channels.back(), 1'000u);
  }
}

CAF_TEST(channel sizes follow their classes) {
  auto config = small(membership_shape::size_classes);
  config.users = 20'000;
  population x{config};
  std::vector<uint32_t> channels;
  std::vector<uint32_t> members(config.channels);
  for (uint32_t user = 0; user < config.users; ++user) {
    x.channels_of(user, channels);
    for (auto channel : channels)
      ++members[channel];
  }
  size_t astray = 0;
  for (uint32_t i = 0; i < config.channels; ++i) {
    // Six standard deviations of a Poisson count.
    auto expected = x.members_of(i);
    astray += std::abs(members[i] - expected) > 6 * std::sqrt(expected) + 6;
  }
  CAF_CHECK_EQUAL(astray, 0u);
  CAF_CHECK(x.members_of(0) >= 10'000);
  CAF_CHECK(x.members_of(10) >= 100 && x.members_of(10) <= 1'000);
  CAF_CHECK(x.members_of(999) <= 100);
}

CAF_TEST(a spread channel reaches exactly its number of instances) {
  population x{small(membership_shape::spread)};
  CAF_REQUIRE(x.has_exact_spread());
  std::map<uint32_t, std::set<uint16_t>> reached;
  std::vector<uint32_t> channels;
  for (uint32_t user = 0; user < 2'000; ++user) {
    x.channels_of(user, channels);
    CAF_CHECK_EQUAL(channels.size(), 50u);
    for (auto channel : channels)
      reached[channel].insert(x.instance_of(user));
  }
  size_t wrong = 0;
  for (auto& [channel, instances] : reached)
    wrong += instances.size() != 5;
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(reached.size(), 1'000u);
}

CAF_TEST(tiny worlds are worlds too) {
  for (auto shape : {membership_shape::uniform, membership_shape::size_classes,
                     membership_shape::spread}) {
    population_config config;
    config.users = config.channels = 1;
    config.instances = 3;
    config.shape = shape;
    std::vector<uint32_t> channels;
    population{config}.channels_of(0, channels);
    CAF_CHECK(channels == std::vector<uint32_t>{0});
  }
}

CAF_TEST(traffic follows the law of Zipf) {
  constexpr uint32_t channels = 1'000;
  constexpr uint32_t draws = 200'000;
  for (double exponent : {0.0, 0.8, 1.0, 1.3}) {
    traffic_sampler x{channels, exponent, 11};
    std::vector<uint32_t> hits(channels);
    for (uint32_t i = 0; i < draws; ++i)
      ++hits.at(x.next());
    double weights = 0;
    for (uint32_t i = 0; i < channels; ++i)
      weights += std::pow(i + 1, -exponent);
    size_t astray = 0;
    for (uint32_t i = 0; i < channels; ++i) {
      auto expected = draws * std::pow(i + 1, -exponent) / weights;
      astray += std::abs(hits[i] - expected) > 6 * std::sqrt(expected) + 6;
    }
    CAF_CHECK_EQUAL(astray, 0u);
  }
}
