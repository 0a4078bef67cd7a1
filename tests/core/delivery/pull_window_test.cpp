// SPDX-License-Identifier: MIT
#define CAF_SUITE core.delivery.pull_window

#include "core/delivery/pull_window.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

struct fixture {
  pull_window::config settings{100, 2, 1'000, 5s, 4s};
  pull_window window{settings};
  time_point now{};

  int ask() {
    int result = 0;
    while (window.next_request(now))
      CAF_REQUIRE(++result <= 2);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(pull_window_tests, fixture)

CAF_TEST(two_requests_are_kept_under_way) {
  CAF_CHECK_EQUAL(ask(), 2);
  CAF_CHECK_EQUAL(window.events_outstanding(), 200u);
  window.received(99, 10, now);
  CAF_CHECK_EQUAL(ask(), 0);
  window.received(1, 10, now);
  CAF_CHECK_EQUAL(ask(), 1);
  window.received(150, 10, now);
  CAF_CHECK_EQUAL(window.events_outstanding(), 50u);
  CAF_CHECK_EQUAL(ask(), 1);
}

CAF_TEST(unsettled_bytes_hold_requests_back) {
  CAF_CHECK_EQUAL(ask(), 2);
  window.received(200, 1'000, now);
  CAF_CHECK_EQUAL(ask(), 0);
  window.settled(1);
  CAF_CHECK_EQUAL(window.unsettled_bytes(), 999u);
  CAF_CHECK_EQUAL(ask(), 2);
}

CAF_TEST(an_expired_request_is_replaced) {
  ask();
  window.received(30, 1, now);
  window.request_ended(now);
  CAF_CHECK_EQUAL(window.events_outstanding(), 100u);
  CAF_CHECK_EQUAL(ask(), 1);
}

CAF_TEST(silence_beyond_the_watchdog_is_noticed) {
  ask();
  now += 4s;
  CAF_CHECK(!window.is_stuck(now));
  now += 1ms;
  CAF_CHECK(window.is_stuck(now));
  window.heartbeat(now);
  CAF_CHECK(!window.is_stuck(now));
  now += 5s;
  window.received(1, 1, now);
  CAF_CHECK(!window.is_stuck(now));
  now += 5s;
  CAF_CHECK(window.is_stuck(now));
  window.reopened(now);
  CAF_CHECK(!window.is_stuck(now));
  CAF_CHECK_EQUAL(window.events_outstanding(), 0u);
  CAF_CHECK_EQUAL(window.unsettled_bytes(), 1u);
}

CAF_TEST(without_a_request_silence_means_nothing) {
  ask();
  window.received(200, 1'000, now);
  now += 60s;
  CAF_CHECK(!window.is_stuck(now));
  window.settled(1'000);
  ask();
  CAF_CHECK(!window.is_stuck(now));
  now += 5s;
  CAF_CHECK(window.is_stuck(now));
}

CAF_TEST(more_events_and_ends_than_asked_for_do_no_harm) {
  window.request_ended(now);
  window.received(500, 10, now);
  CAF_CHECK_EQUAL(window.events_outstanding(), 0u);
  CAF_CHECK_EQUAL(ask(), 2);
  window.received(1'000, 10, now);
  CAF_CHECK_EQUAL(window.events_outstanding(), 0u);
}

CAF_TEST(it_agrees_with_plain_sums) {
  std::mt19937_64 random{test_seed()};
  uint64_t asked = 0;
  size_t unsettled = 0;
  for (int step = 0; step < 50'000; ++step) {
    now += std::chrono::milliseconds{random() % 100};
    switch (random() % 5) {
    case 0:
      if (auto events = window.next_request(now)) {
        CAF_REQUIRE(unsettled < settings.unsettled_bytes_max);
        asked += *events;
      }
      break;
    case 1:
    case 2: {
      auto events = std::min<uint64_t>(random() % 120, asked);
      auto bytes = random() % 200;
      window.received(events, bytes, now);
      asked -= events;
      unsettled += bytes;
      break;
    }
    case 3: {
      auto bytes = random() % (unsettled + 1);
      window.settled(bytes);
      unsettled -= bytes;
      break;
    }
    default:
      if (random() % 20 == 0) {
        window.reopened(now);
        asked = 0;
      }
    }
    CAF_REQUIRE_EQUAL(window.events_outstanding(), asked);
    CAF_REQUIRE_EQUAL(window.unsettled_bytes(), unsettled);
    CAF_REQUIRE(asked <= 200u);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
