// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.shard_router_snapshot

#include "core/routing/shard_router.hpp"
#include "tests/core/routing/naive_table.hpp"
#include "tests/core/snapshot/damage.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <deque>
#include <optional>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr shard_id shard{5};
constexpr uint16_t instances = 700;

std::vector<instance_index> same_numbers() {
  std::vector<instance_index> result;
  for (uint16_t i = 0; i < instances; ++i)
    result.push_back(instance_index{i});
  return result;
}

/// Three logs of changes, as three presence shards tell them.
struct logs {
  explicit logs(uint64_t seed, uint32_t users = 40)
      : random(seed, users, 60, instances) {
    for (uint32_t i = 0; i < 2'000; ++i) {
      auto home = random.home();
      auto& log = records[home.value];
      log.push_back(random.next());
      log.back().version = log_position{log.size()};
    }
  }

  /// Lets `router` hear what it has not heard of, up to `share` of each log,
  /// in deltas of any size.
  void tell(shard_router& router, std::array<uint64_t, 3>& numbers,
            std::array<size_t, 3> from, uint32_t percent) {
    for (uint16_t home = 0; home < 3; ++home) {
      auto& log = records[home];
      for (auto at = from[home]; at < log.size() * percent / 100;) {
        presence_delta delta;
        delta.from = presence_shard_id{home};
        delta.to = shard;
        delta.number = ++numbers[home];
        for (auto left = random.below(8); left > 0 && at < log.size(); --left)
          delta.changes.push_back(log[at++]);
        delta.log = {log_life{7}, log_position{at}};
        if (router.apply(delta) != delta_outcome::applied)
          CAF_FAIL("a delta was not applied");
      }
    }
  }

  void tell(shard_router& router, uint32_t percent = 100) {
    std::array<uint64_t, 3> numbers{};
    tell(router, numbers, {}, percent);
  }

  change_generator random;
  std::array<std::vector<user_change>, 3> records;
};

std::optional<shard_router> loaded(const std::string& bytes,
                                   std::vector<instance_index> numbers
                                   = same_numbers()) {
  std::optional<shard_router> result{std::in_place, shard};
  byte_reader in{bytes};
  result->load(in, numbers);
  if (in.ok())
    return result;
  CAF_MESSAGE(in.problem());
  return std::nullopt;
}

/// Where an event of each channel goes that was stored at `time`.
std::vector<std::vector<instance_index>>
routes(shard_router& router, const change_generator& names, int64_t time) {
  pull_builder builder{shard, router.routed_to()};
  for (uint32_t i = 0; i < 60; ++i)
    builder.add(position{builder.to().value + 1}, time, names.channel(i), {},
                "body");
  delivery_list group;
  router.route(*builder.finish(0, 1), {&group, 1});
  std::vector<std::vector<instance_index>> result(60);
  uint32_t begin = 0;
  for (auto& item : group.items) {
    auto& to = result[item.event];
    to.assign(group.instances.begin() + begin,
              group.instances.begin() + item.end);
    std::ranges::sort(to);
    begin = item.end;
  }
  return result;
}

} // namespace

CAF_TEST(a router that was saved and loaded is the same) {
  logs world{test_seed()};
  shard_router router{shard};
  world.tell(router);
  auto copy = loaded(bytes_of(router));
  CAF_REQUIRE(copy);
  CAF_CHECK(copy->check_invariants());
  CAF_CHECK_EQUAL(copy->digest(), router.digest());
  for (uint16_t home = 0; home < 4; ++home)
    CAF_CHECK(copy->log_of(presence_shard_id{home})
              == router.log_of(presence_shard_id{home}));
  auto before = router.statistics(5), after = copy->statistics(5);
  CAF_CHECK_EQUAL(after.memberships, before.memberships);
  CAF_CHECK_EQUAL(after.users_online, before.users_online);
  CAF_CHECK_EQUAL(after.channels, before.channels);
  for (int64_t time : {0, 500, 1'500, 1'990, 3'000})
    CAF_CHECK(routes(router, world.random, time)
              == routes(*copy, world.random, time));
}

CAF_TEST(an empty router can be saved and loaded) {
  auto copy = loaded(bytes_of(shard_router{shard}));
  CAF_REQUIRE(copy);
  CAF_CHECK(copy->check_invariants());
  logs world{test_seed()};
  world.tell(*copy);
  CAF_CHECK(copy->check_invariants());
}

CAF_TEST(a log told again from before the snapshot changes nothing twice) {
  auto seed = test_seed();
  for (uint64_t round = 0; round < 20; ++round) {
    logs world{seed + round, 4 + static_cast<uint32_t>(round) * 3};
    shard_router router{shard};
    std::array<uint64_t, 3> numbers{};
    world.tell(router, numbers, {}, world.random.below(101));
    auto copy = loaded(bytes_of(router));
    CAF_REQUIRE(copy);
    // The presence shards begin somewhere before what the router knows.
    std::array<size_t, 3> from{};
    std::array<size_t, 3> known{};
    for (uint16_t home = 0; home < 3; ++home) {
      known[home] = router.log_of(presence_shard_id{home}).up_to.value;
      from[home] = world.random.below(static_cast<uint32_t>(known[home]) + 1);
    }
    std::array<uint64_t, 3> anew{};
    world.tell(*copy, anew, from, 100);
    world.tell(router, numbers, known, 100);
    CAF_CHECK_EQUAL(copy->digest(), router.digest());
    CAF_CHECK(copy->check_invariants());
    CAF_CHECK_EQUAL(copy->recent_departures().size(),
                    router.recent_departures().size());
  }
}

CAF_TEST(departures are kept for events that a restart routes again) {
  shard_router router{shard};
  router.restart_begins_at(100);
  uint64_t number = 0;
  auto tell = [&](user_change::kind what, int64_t time) {
    presence_delta delta;
    delta.to = shard;
    delta.number = ++number;
    user_change x;
    x.what = what;
    x.instance = instance_index{3};
    x.stored_at_ns = time;
    if (what >= user_change::kind::set_channels)
      x.channels.push_back("c0");
    delta.changes.push_back(x);
    router.apply(delta);
  };
  tell(user_change::kind::add_instance, 1);
  tell(user_change::kind::join_channels, 2);
  change_generator names{1, 1, 1, 1};
  CAF_CHECK(routes(router, names, 150)[0].size() == 1);
  tell(user_change::kind::leave_channels, 200);
  CAF_CHECK(routes(router, names, 300)[0].empty());
  // Routed, but not checkpointed: after a restart it comes again.
  auto copy = loaded(bytes_of(router));
  CAF_REQUIRE(copy);
  CAF_CHECK_EQUAL(copy->drained_number(presence_shard_id{0}), 0u);
  CAF_CHECK(routes(*copy, names, 150)[0].size() == 1);
  CAF_CHECK(routes(*copy, names, 300)[0].empty());
  router.restart_begins_at(300);
  routes(router, names, 301);
  CAF_CHECK(router.recent_departures().empty());
  CAF_CHECK(router.check_invariants());
}

CAF_TEST(who has left is told so only when older events were routed again) {
  shard_router router{shard};
  router.restart_begins_at(0);
  logs world{test_seed()};
  world.tell(router);
  CAF_REQUIRE(!router.recent_departures().empty());
  auto copy = loaded(bytes_of(router));
  CAF_REQUIRE(copy);
  presence_delta empty;
  empty.to = shard;
  empty.number = 1;
  copy->apply(empty);
  CAF_CHECK_EQUAL(copy->applied_number(presence_shard_id{0}), 1u);
  CAF_CHECK_EQUAL(copy->drained_number(presence_shard_id{0}), 0u);
  routes(*copy, world.random, 3'000);
  CAF_CHECK_EQUAL(copy->drained_number(presence_shard_id{0}), 1u);
}

CAF_TEST(instances may have other numbers after a restart) {
  logs world{test_seed()};
  shard_router router{shard}, other{shard};
  world.tell(router);
  std::vector<instance_index> numbers = same_numbers();
  std::mt19937_64 random{1};
  std::ranges::shuffle(numbers, random);
  for (auto& x : numbers)
    x.value = static_cast<uint16_t>(x.value + 20);
  for (auto& log : world.records)
    for (auto& change : log)
      change.instance = numbers[change.instance.value];
  world.tell(other);
  auto copy = loaded(bytes_of(router), numbers);
  CAF_REQUIRE(copy);
  CAF_CHECK(copy->check_invariants());
  CAF_CHECK_EQUAL(copy->digest(), other.digest());
  CAF_CHECK(routes(*copy, world.random, 1'500)
            == routes(other, world.random, 1'500));
}

CAF_TEST(the users of one presence shard can be forgotten and told anew) {
  logs world{test_seed()};
  shard_router router{shard}, other{shard};
  world.tell(router);
  auto digest = router.digest();
  router.forget(presence_shard_id{1});
  CAF_CHECK(router.check_invariants());
  CAF_CHECK(router.log_of(presence_shard_id{1}) == log_progress{});
  auto one = world.records[1];
  world.records[1].clear();
  world.tell(other);
  CAF_CHECK_EQUAL(router.digest(), other.digest());
  world.records = {};
  world.records[1] = one;
  world.tell(router);
  CAF_CHECK_EQUAL(router.digest(), digest);
}

CAF_TEST(a snapshot of another shard is refused) {
  shard_router other{shard_id{6}};
  CAF_CHECK(!loaded(bytes_of(other)));
}

CAF_TEST(counts beyond 16 bits survive) {
  shard_router router{shard};
  presence_delta delta;
  delta.to = shard;
  delta.number = 1;
  for (uint32_t i = 0; i < 66'000; ++i) {
    user_change x;
    x.user = user_handle{i};
    x.instance = instance_index{1};
    delta.changes.push_back(x);
    x.what = user_change::kind::join_channels;
    x.channels.push_back("hot");
    delta.changes.push_back(std::move(x));
  }
  router.apply(delta);
  auto bytes = bytes_of(router);
  auto copy = loaded(bytes);
  CAF_REQUIRE(copy);
  CAF_CHECK_EQUAL(copy->digest(), router.digest());
  auto numbers = same_numbers();
  std::swap(numbers[1], numbers[9]);
  auto moved = loaded(bytes, numbers);
  CAF_REQUIRE(moved);
  CAF_CHECK(moved->route_of("hot").stops.at(0).users == 66'000u);
  CAF_CHECK(moved->route_of("hot").stops.at(0).instance.value == 9);
}

CAF_TEST(damaged bytes end in an error and never in a crash) {
  auto seed = test_seed();
  logs world{seed};
  shard_router router{shard};
  world.tell(router, 40);
  size_t harmless = 0;
  auto numbers = same_numbers();
  constexpr size_t rounds = 3'000;
  auto found
      = load_damaged(bytes_of(router), seed, rounds, [&](byte_reader& in) {
          shard_router copy{shard};
          copy.load(in, numbers);
          if (!in.ok())
            return;
          // What was let through has to be sound, and stay so.
          CAF_REQUIRE(copy.check_invariants());
          if (++harmless % 50 != 0)
            return;
          auto more = logs{seed + harmless};
          for (auto& log : more.records)
            for (auto& change : log)
              change.version = {};
          std::array<uint64_t, 3> from{};
          more.tell(copy, from, {}, 20);
          CAF_REQUIRE(copy.check_invariants());
        });
  CAF_MESSAGE(found << " of " << rounds << " found, the others harmless");
  CAF_CHECK(found > rounds / 3);
}
