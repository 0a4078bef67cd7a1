// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.hot_channels

#include "core/routing/hot_channels.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1h};

} // namespace

CAF_TEST(nothing was hot at the beginning) {
  hot_channels hot;
  CAF_CHECK(hot.top(10, start).empty());
  CAF_CHECK_EQUAL(hot.cost_per_second(start), 0);
}

CAF_TEST(the rates of a channel are estimated) {
  hot_channels hot;
  hot.tick(start);
  for (int i = 0; i < 40'000; ++i)
    hot.count("busy", 5);
  auto now = start + 4s;
  auto top = hot.top(10, now);
  CAF_REQUIRE_EQUAL(top.size(), 1u);
  CAF_CHECK_EQUAL(top[0].channel, "busy");
  CAF_CHECK(top[0].events_per_second > 9'000);
  CAF_CHECK(top[0].events_per_second < 11'000);
  CAF_CHECK(top[0].cost_per_second > 45'000);
  CAF_CHECK(top[0].cost_per_second < 55'000);
  CAF_CHECK_EQUAL(hot.cost_per_second(now), 50'000);
}

CAF_TEST(channels that take turns are met equally) {
  hot_channels hot;
  hot.tick(start);
  for (int i = 0; i < 80'000; ++i)
    hot.count("c" + std::to_string(i % 8), 1);
  auto top = hot.top(10, start + 1s);
  CAF_REQUIRE_EQUAL(top.size(), 8u);
  CAF_CHECK(top.back().events_per_second > 0.8 * top[0].events_per_second);
}

CAF_TEST(what costs much is found among what costs little) {
  std::mt19937_64 random{test_seed()};
  hot_channels hot;
  hot.tick(start);
  // One event in fifty is of "hot": 2 % of the events, 17 % of the cost.
  for (int i = 0; i < 400'000; ++i)
    if (random() % 50 == 0)
      hot.count("hot", 10);
    else
      hot.count("cold-" + std::to_string(random() % 100'000), 1);
  auto now = start + 4s;
  auto top = hot.top(1, now);
  CAF_REQUIRE_EQUAL(top.size(), 1u);
  CAF_CHECK_EQUAL(top[0].channel, "hot");
  auto true_cost = 400'000 / 50 * 10 / 4.0;
  CAF_CHECK(top[0].cost_per_second > 0.7 * true_cost);
  CAF_CHECK(top[0].cost_per_second < 1.3 * true_cost);
}

CAF_TEST(the past is forgotten within ten seconds) {
  hot_channels hot;
  auto now = start;
  hot.tick(now);
  for (int i = 0; i < 1'000; ++i)
    hot.count("old", 1);
  for (int i = 0; i < 6; ++i)
    hot.tick(now += 1s);
  CAF_CHECK_EQUAL(hot.top(10, now).size(), 1u);
  for (int i = 0; i < 6; ++i)
    hot.tick(now += 1s);
  CAF_CHECK(hot.top(10, now).empty());
}

CAF_TEST(events that go nowhere cost nothing) {
  hot_channels hot;
  hot.tick(start);
  for (int i = 0; i < 1'000; ++i)
    hot.count("nobody", 0);
  CAF_CHECK(hot.top(10, start + 1s).empty());
}
