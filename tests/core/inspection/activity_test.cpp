// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.activity

#include "core/inspection/activity.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

using news = stuck_watch::news;

constexpr int64_t second = 1'000'000'000;

activity_signs busy_since(int64_t ns) {
  activity_signs result;
  result.busy_since_ns = ns;
  return result;
}

} // namespace

CAF_TEST(who handles a message is busy and then stuck) {
  CAF_CHECK(activity_of(busy_since(0), 9 * second) == activity::idle);
  CAF_CHECK(activity_of(busy_since(second), second) == activity::busy);
  CAF_CHECK(activity_of(busy_since(second), 2 * second) == activity::busy);
  CAF_CHECK(activity_of(busy_since(second), 2 * second + 1) == activity::stuck);
}

CAF_TEST(what is worse is shown first) {
  auto x = busy_since(second);
  x.is_suspended = true;
  CAF_CHECK(activity_of(x, second) == activity::suspended);
  CAF_CHECK(activity_of(x, 5 * second) == activity::stuck);
  x.is_vacant = true;
  CAF_CHECK(activity_of(x, 5 * second) == activity::away);
  x.is_ended = true;
  CAF_CHECK(activity_of(x, 5 * second) == activity::ended);
}

CAF_TEST(every state has a name) {
  CAF_CHECK_EQUAL(to_string(activity::idle), "idle");
  CAF_CHECK_EQUAL(to_string(activity::suspended), "suspended");
  CAF_CHECK_EQUAL(to_string(activity::ended), "ended");
}

CAF_TEST(a message that hangs is told once and so is its end) {
  stuck_watch watch;
  CAF_CHECK(watch.look(busy_since(second), second) == news::none);
  CAF_CHECK(watch.look(busy_since(second), 3 * second) == news::stuck);
  CAF_CHECK(watch.look(busy_since(second), 4 * second) == news::none);
  CAF_CHECK(watch.is_stuck());
  CAF_CHECK(watch.look(busy_since(0), 5 * second) == news::unstuck);
  CAF_CHECK(watch.look(busy_since(0), 6 * second) == news::none);
  CAF_CHECK(!watch.is_stuck());
}

CAF_TEST(the next message that hangs is told again) {
  stuck_watch watch;
  CAF_CHECK(watch.look(busy_since(1), 2 * second) == news::stuck);
  // Another one has begun between two looks, and hangs as well.
  CAF_CHECK(watch.look(busy_since(2 * second), 4 * second) == news::unstuck);
  CAF_CHECK(watch.look(busy_since(2 * second), 4 * second) == news::stuck);
}

CAF_TEST(who was killed amid a message is not stuck any more) {
  stuck_watch watch;
  auto x = busy_since(1);
  CAF_CHECK(watch.look(x, 2 * second) == news::stuck);
  x.is_vacant = true;
  CAF_CHECK(watch.look(x, 3 * second) == news::unstuck);
}
