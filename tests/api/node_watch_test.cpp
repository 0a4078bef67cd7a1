// SPDX-License-Identifier: MIT
#define CAF_SUITE api.node_watch

#include "core/limits.hpp"
#include "tests/api/watched_node.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

struct fixture : watched_node {
  actor_record& shard = record("routing/shard-0");

  void pass(duration time) {
    clock.time += time;
    watch.look(clock.time);
  }
  std::string kinds() {
    std::string result;
    for (auto& x : events.since(0, 100))
      result += (result.empty() ? "" : " ") + x.kind;
    return result;
  }
};

bool is_near(double x, double expected) {
  return x > 0.99 * expected && x < 1.01 * expected;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(who is stuck is reported once with the message) {
  shard.signs.arrived();
  shard.signs.begin(typeid(letter), to_ns(clock.time));
  pass(500ms);
  CAF_CHECK_EQUAL(kinds(), "");
  pass(600ms);
  pass(600ms);
  CAF_CHECK_EQUAL(kinds(), "actor-stuck");
  auto event = events.since(0, 1).at(0);
  CAF_CHECK_EQUAL(event.actor, "routing/shard-0");
  CAF_CHECK(event.detail.find("message=letter for_ns=1100000000")
            != std::string::npos);
  CAF_CHECK_EQUAL(counts.actors_stuck.get(), 1u);
  CAF_CHECK_EQUAL(counts.stuck_total.get(), 1u);
  shard.signs.end(to_ns(clock.time));
  pass(100ms);
  CAF_CHECK_EQUAL(kinds(), "actor-stuck actor-unstuck");
  CAF_CHECK_EQUAL(counts.actors_stuck.get(), 0u);
  auto journal = shard.journal.events();
  CAF_REQUIRE_EQUAL(journal.size(), 3u);
  CAF_CHECK(journal[1].what == actor_journal::kind::stuck);
  CAF_CHECK_EQUAL(journal[1].detail, "letter");
  CAF_CHECK(journal[2].what == actor_journal::kind::unstuck);
}

CAF_TEST(the pace is that of the last ten seconds) {
  for (int i = 0; i < 25; ++i) {
    for (int k = 0; k < 10; ++k) {
      shard.signs.begin(typeid(letter), 0);
      shard.signs.end(20'000'000);
    }
    counts.shard[0].events.add(1'000);
    counts.shard[0].deliveries.add(5'000);
    counts.presence[0].updates.add(30);
    counts.egress[0].routed[0].add(400);
    instances.intern("notif-000");
    pass(1s);
  }
  CAF_CHECK(is_near(watch.pace_of(shard).messages_per_second, 10));
  CAF_CHECK(is_near(watch.pace_of(shard).busy_ratio, 0.2));
  CAF_CHECK(is_near(watch.pace_of_shard(0).events_per_second, 1'000));
  CAF_CHECK(is_near(watch.pace_of_shard(0).deliveries_per_second, 5'000));
  CAF_CHECK(is_near(watch.pace_of_presence(0), 30));
  CAF_CHECK(is_near(watch.pace_of_instance(0), 400));
  CAF_CHECK(is_near(watch.window_seconds(), 10));
  CAF_CHECK_EQUAL(watch.pace_of_shard(9).events_per_second, 0);
  CAF_CHECK_EQUAL(watch.pace_of_instance(9), 0);
}

CAF_TEST(who hangs is busy all the time) {
  shard.signs.begin(typeid(letter), to_ns(clock.time));
  for (int i = 0; i < 12; ++i)
    pass(1s);
  CAF_CHECK(is_near(watch.pace_of(shard).busy_ratio, 1));
}

CAF_TEST(who is suspended for too long is resumed) {
  shard.is_suspended = true;
  shard.held.set(limits::suspended_messages_max);
  pass(1s);
  CAF_CHECK(control.done.empty());
  shard.held.set(limits::suspended_messages_max + 1);
  pass(1s);
  CAF_REQUIRE_EQUAL(control.done.size(), 1u);
  CAF_CHECK_EQUAL(control.done[0], "resume routing/shard-0");
  CAF_CHECK_EQUAL(kinds(), "actor-resumed");
}

CAF_TEST(the thread looks by itself) {
  shard.signs.begin(typeid(letter), to_ns(clock.time));
  clock.time += 2s;
  watch.start();
  for (int i = 0; i < 2'000 && counts.stuck_total.get() == 0; ++i)
    std::this_thread::sleep_for(5ms);
  watch.stop();
  CAF_CHECK_EQUAL(counts.stuck_total.get(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
