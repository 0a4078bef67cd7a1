// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.demo_verifier

#include "bench/demo/verifier.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>
#include <set>

using namespace fantail;
using namespace fantail::demo;
using namespace std::chrono_literals;

namespace {

constexpr channel_number general = 7;

struct fixture {
  verifier tested{{{delivery_format::single, delivery_format::frame}}};
  time_point now = time_point{} + 1h;
  uint64_t stored_count = 0;

  void member_joins(instance_number instance) {
    tested.join_requested(general, instance, now);
    tested.joined(general, instance);
    now += 1s;
  }

  void member_leaves(instance_number instance) {
    tested.leave_requested(general, instance);
    tested.left(general, instance, now);
  }

  event_number begin() { return tested.publish_began(general, now, now); }

  void store(event_number event) {
    tested.stored(event, position{++stored_count}, now);
  }

  event_number publish() {
    auto result = begin();
    store(result);
    return result;
  }

  void receive(event_number event, instance_number instance) {
    tested.received(event, instance, now);
  }

  const verifier::totals& verdict() {
    tested.finish();
    return tested.count();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(demo_verifier_tests, fixture)

CAF_TEST(an event that reaches exactly the members is clean) {
  member_joins(0);
  member_joins(1);
  auto event = publish();
  CAF_CHECK_EQUAL(tested.lag(), 1u);
  now += 3ms;
  receive(event, 0);
  receive(event, 1);
  CAF_CHECK(tested.is_complete());
  CAF_CHECK(verdict().is_clean());
  CAF_CHECK_EQUAL(tested.count().expected, 2u);
  CAF_CHECK_EQUAL(tested.latency().count(), 2u);
}

CAF_TEST(an event that a member did not get is missed) {
  member_joins(0);
  member_joins(1);
  receive(publish(), 0);
  CAF_CHECK(!tested.is_complete());
  CAF_CHECK_EQUAL(verdict().missed, 1u);
}

CAF_TEST(an event for an instance without a member is excess) {
  member_joins(0);
  auto event = publish();
  receive(event, 0);
  receive(event, 1);
  CAF_CHECK_EQUAL(verdict().excess, 1u);
}

CAF_TEST(an event is neither expected nor excess while a join is under way) {
  tested.join_requested(general, 0, now);
  auto reached = publish();
  publish();
  receive(reached, 0);
  tested.joined(general, 0);
  CAF_CHECK(verdict().is_clean());
  CAF_CHECK_EQUAL(tested.count().expected, 0u);
}

CAF_TEST(an event stored long before a join is early if it comes after it) {
  auto event = publish();
  now += 201ms;
  tested.join_requested(general, 0, now);
  receive(event, 0);
  CAF_CHECK(verdict().is_clean());
  CAF_CHECK_EQUAL(tested.count().early, 1u);
}

CAF_TEST(an event stored long after a leave is excess) {
  member_joins(0);
  member_leaves(0);
  now += 201ms;
  receive(publish(), 0);
  CAF_CHECK_EQUAL(verdict().excess, 1u);
}

CAF_TEST(the grace covers events shortly before a join and after a leave) {
  auto early = publish();
  now += 150ms;
  tested.join_requested(general, 0, now);
  receive(early, 0);
  tested.joined(general, 0);
  now += 1s;
  member_leaves(0);
  now += 150ms;
  receive(publish(), 0);
  CAF_CHECK(verdict().is_clean());
  now += 100ms;
  receive(publish(), 0);
  CAF_CHECK_EQUAL(verdict().excess, 1u);
}

CAF_TEST(a leave asked for before the acknowledgement releases the event) {
  member_joins(0);
  auto event = begin();
  tested.leave_requested(general, 0);
  store(event);
  CAF_CHECK(verdict().is_clean());
}

CAF_TEST(a leave asked for after the acknowledgement does not) {
  member_joins(0);
  publish();
  member_leaves(0);
  CAF_CHECK_EQUAL(verdict().missed, 1u);
}

CAF_TEST(members of one instance stand in for each other) {
  member_joins(0);
  member_joins(0);
  auto event = begin();
  tested.leave_requested(general, 0);
  store(event);
  CAF_CHECK_EQUAL(verdict().missed, 1u);
}

CAF_TEST(order is that of the stream even if acknowledgements come late) {
  member_joins(0);
  auto first = begin();
  auto second = begin();
  receive(first, 0);
  receive(second, 0);
  tested.stored(second, position{5}, now);
  tested.stored(first, position{4}, now);
  CAF_CHECK(verdict().is_clean());
  auto third = begin();
  auto fourth = begin();
  tested.stored(third, position{9}, now);
  tested.stored(fourth, position{8}, now);
  receive(third, 0);
  receive(fourth, 0);
  CAF_CHECK_EQUAL(verdict().out_of_order, 1u);
}

CAF_TEST(what may come out of a repeated window has no order in single) {
  tested.join_requested(general, 0, now);
  tested.join_requested(general, 1, now);
  auto first = publish();
  auto second = publish();
  for (instance_number instance : {0, 1}) {
    receive(second, instance);
    receive(first, instance);
  }
  CAF_CHECK_EQUAL(verdict().out_of_order, 1u);
}

CAF_TEST(a repeat is forgiven in the format single only) {
  member_joins(0);
  member_joins(1);
  auto event = publish();
  for (auto instance : {0, 1, 0})
    receive(event, static_cast<instance_number>(instance));
  CAF_CHECK(verdict().is_clean());
  CAF_CHECK_EQUAL(tested.count().repeats_single, 1u);
  receive(event, 1);
  CAF_CHECK(!verdict().is_clean());
}

CAF_TEST(a failed publish is not waited for) {
  member_joins(0);
  tested.publish_failed(begin());
  CAF_CHECK(tested.is_complete());
  CAF_CHECK(verdict().is_clean());
}

CAF_TEST(an overdue event is missed and settled ones are forgotten) {
  member_joins(0);
  publish();
  now += 61s;
  tested.tick(now);
  CAF_CHECK_EQUAL(tested.count().missed, 1u);
  CAF_CHECK(tested.is_complete());
  CAF_CHECK_EQUAL(verdict().missed, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

/// A faithful router in a few lines, which can be told to err. Membership
/// changes and events take effect in the order of one log.
struct simulation {
  explicit simulation(uint64_t seed) : random(seed) {}

  uint64_t below(uint64_t bound) { return random() % bound; }

  /// Runs a random history; every delivery with number `fault_at` is damaged.
  verifier::totals run(uint64_t fault_at) {
    constexpr int channels = 4, users = 30, instances = 5;
    verifier_config config;
    config.formats.assign(instances, delivery_format::frame);
    verifier tested{config};
    std::set<std::pair<channel_number, int>> members;
    auto now = time_point{} + 1h;
    uint64_t stored_count = 0, deliveries = 0;
    for (int step = 0; step < 3'000; ++step) {
      now += std::chrono::milliseconds{below(20)};
      auto channel = static_cast<channel_number>(below(channels));
      auto user = static_cast<int>(below(users));
      auto home = static_cast<instance_number>(user % instances);
      auto is_member = members.contains({channel, user});
      if (below(3) == 0 && !is_member) {
        tested.join_requested(channel, home, now);
        tested.joined(channel, home);
        members.insert({channel, user});
      } else if (below(5) == 0 && is_member) {
        tested.leave_requested(channel, home);
        tested.left(channel, home, now);
        members.erase({channel, user});
      }
      auto event = tested.publish_began(channel, now, now);
      std::set<instance_number> targets;
      for (auto& [where, who] : members)
        if (where == channel)
          targets.insert(static_cast<instance_number>(who % instances));
      if (below(2) == 0)
        tested.stored(event, position{++stored_count}, now);
      for (auto target : targets) {
        if (deliveries++ == fault_at)
          continue;
        tested.received(event, target, now + 1ms);
      }
      tested.stored(event, position{stored_count += 1}, now);
      tested.tick(now);
    }
    tested.finish();
    return tested.count();
  }

  std::mt19937_64 random;
};

} // namespace

CAF_TEST(a faithful router is clean and one lost delivery is found) {
  auto seed = test_seed();
  for (uint64_t round = 0; round < 20; ++round) {
    auto faithful = simulation{seed + round}.run(UINT64_MAX);
    CAF_CHECK(faithful.is_clean());
    CAF_CHECK_EQUAL(faithful.deliveries, faithful.expected);
    auto faulty = simulation{seed + round}.run(100 + 17 * round);
    CAF_CHECK_EQUAL(faulty.missed, 1u);
  }
}
