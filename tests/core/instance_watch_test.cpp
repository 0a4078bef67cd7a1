// SPDX-License-Identifier: MIT
#define CAF_SUITE core.instance_watch

#include "core/instance_watch.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace std::chrono_literals;

namespace {

struct fixture {
  time_point now{1h};
  instance_watch watch{instance_watch::config::of(5s, 75s)};
  instance_index one{1}, two{2};

  fixture() {
    watch.admitted(one, delivery_format::frame, now);
    watch.admitted(two, delivery_format::single, now);
  }

  /// Ticks every 100 ms; returns who died.
  std::vector<instance_index> pass(duration time) {
    std::vector<instance_index> died;
    for (auto end = now + time; now < end;) {
      now += 100ms;
      watch.tick(now, died);
    }
    return died;
  }
};

using indices = std::vector<instance_index>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(instance_watch_tests, fixture)

CAF_TEST(three heartbeats may be missed and not more) {
  CAF_CHECK(pass(14s) == indices{});
  CAF_CHECK(!watch.heard(one, now));
  CAF_CHECK(pass(14900ms) == indices{});
  CAF_CHECK(pass(200ms) == indices{one});
  CAF_CHECK(watch.is_dead(one));
  CAF_CHECK_EQUAL(watch.dead_count(), 1u);
  CAF_CHECK(pass(60s) == indices{});
  CAF_CHECK(watch.heard(one, now));
  CAF_CHECK_EQUAL(watch.dead_count(), 0u);
}

CAF_TEST(a single instance promised nothing) {
  CAF_CHECK(pass(70s) == indices{one});
  CAF_CHECK(!watch.is_dead(two));
}

CAF_TEST(a silence as long as the time to live is a lapse) {
  pass(74s);
  watch.heard(one, now);
  CAF_CHECK_EQUAL(watch.lapses(one), 0u);
  pass(76s);
  CAF_CHECK_EQUAL(watch.lapses(one), 0u);
  watch.heard(one, now);
  watch.heard(one, now);
  CAF_CHECK_EQUAL(watch.lapses(one), 1u);
  // It concerns every instance that was heard once.
  watch.heard(two, now);
  CAF_CHECK_EQUAL(watch.lapses(two), 1u);
  CAF_CHECK_EQUAL(watch.lapses(instance_index{7}), 0u);
}

CAF_TEST(time without a link does not count) {
  pass(10s);
  watch.pause(now);
  watch.pause(now);
  CAF_CHECK(pass(10min) == indices{});
  watch.resume(now);
  watch.resume(now);
  CAF_CHECK(pass(4s) == indices{});
  CAF_CHECK(pass(2s) == indices{one});
  watch.pause(now);
  pass(10min);
  // A word that arrives while the link counts as down.
  CAF_CHECK(watch.heard(one, now));
  CAF_CHECK_EQUAL(watch.lapses(one), 0u);
}

CAF_TEST(time in which the process stood still does not count) {
  pass(10s);
  now += 10min;
  CAF_CHECK(pass(4s) == indices{});
  CAF_CHECK(pass(2s) == indices{one});
  now += 10min;
  // The word is handled before the tick.
  watch.heard(one, now);
  CAF_CHECK_EQUAL(watch.lapses(one), 0u);
}

CAF_TEST(who left is not expected and who comes anew is alive) {
  watch.left(one);
  CAF_CHECK(pass(60s) == indices{});
  watch.admitted(one, delivery_format::frame, now);
  CAF_CHECK(pass(16s) == indices{one});
  watch.admitted(one, delivery_format::frame, now);
  CAF_CHECK_EQUAL(watch.dead_count(), 0u);
  CAF_CHECK_EQUAL(watch.lapses(one), 0u);
}

CAF_TEST(the silence follows from the heartbeat within bounds) {
  CAF_CHECK(instance_watch::config::of(25s, 75s).silence == 75s);
  CAF_CHECK(instance_watch::config::of(10ms, 75s).silence == 1s);
  CAF_CHECK(instance_watch::config::of(5s, 10s).silence == 10s);
}

CAF_TEST_FIXTURE_SCOPE_END()
