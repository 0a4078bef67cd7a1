// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.channel_ranking

#include "core/routing/channel_ranking.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace std::chrono_literals;

namespace {

constexpr time_point now{1h};

/// "wide" has two members on two instances, "large" three on one, "small" one.
struct fixture {
  routing_table table;
  hot_channels hot;

  fixture() {
    join(1, {"wide", "large"}, 0);
    join(2, {"wide"}, 1);
    join(3, {"large"}, 0);
    join(4, {"large", "small"}, 0);
    hot.tick(now - 1s);
    for (int i = 0; i < 4'000; ++i)
      hot.count("small", 1);
    for (int i = 0; i < 4'000; ++i)
      hot.count("gone", 9);
  }

  void join(uint32_t user, std::initializer_list<const char*> channels,
            uint16_t instance) {
    std::vector<vacancy> vacated;
    user_change change;
    change.user = user_handle{user};
    change.what = user_change::kind::set_channels;
    for (auto* x : channels)
      change.channels.push_back(x);
    table.apply(presence_shard_id{0}, change, vacated);
    change.what = user_change::kind::add_instance;
    change.channels = {};
    change.instance = instance_index{instance};
    table.apply(presence_shard_id{0}, change, vacated);
  }

  std::string names(channel_order order, size_t top) {
    std::string result;
    for (auto& x : rank_channels(table, hot, order, top, now))
      result += (result.empty() ? "" : " ") + x.channel;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(channels come by members or instances or cost) {
  CAF_CHECK_EQUAL(names(channel_order::members, 10), "large wide small");
  CAF_CHECK_EQUAL(names(channel_order::fanout, 10), "wide large small");
  // Nobody is in "gone" any more, but it did cost.
  CAF_CHECK_EQUAL(names(channel_order::cost, 10), "gone small");
}

CAF_TEST(only as many as are asked for come) {
  CAF_CHECK_EQUAL(names(channel_order::members, 1), "large");
  CAF_CHECK_EQUAL(names(channel_order::cost, 1), "gone");
  CAF_CHECK_EQUAL(names(channel_order::fanout, 0), "");
}

CAF_TEST(each channel tells its numbers) {
  auto all = rank_channels(table, hot, channel_order::members, 10, now);
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  CAF_CHECK_EQUAL(all[0].members, 3u);
  CAF_CHECK_EQUAL(all[0].fanout, 1u);
  CAF_CHECK_EQUAL(all[0].cost_per_second, 0);
  CAF_CHECK(all[2].cost_per_second > 3'000);
}

CAF_TEST(equals are ordered by their names) {
  ranked_channel a{"a", 1, 1, 0, 0}, b{"b", 1, 1, 0, 0};
  for (auto order :
       {channel_order::members, channel_order::cost, channel_order::fanout}) {
    CAF_CHECK(comes_before(a, b, order));
    CAF_CHECK(!comes_before(b, a, order));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
