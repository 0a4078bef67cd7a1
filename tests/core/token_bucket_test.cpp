// SPDX-License-Identifier: MIT
#define CAF_SUITE core.token_bucket

#include "core/token_bucket.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>
#include <random>

using namespace fantail;
using namespace std::chrono_literals;

CAF_TEST(a_full_bucket_admits_its_burst_and_no_more) {
  time_point now;
  token_bucket bucket{10, 3, now};
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(bucket.try_take(1, now));
  CAF_CHECK(!bucket.try_take(1, now));
}

CAF_TEST(it_refills_at_its_rate_up_to_the_burst) {
  time_point now;
  token_bucket bucket{10, 3, now};
  CAF_CHECK(bucket.try_take(3, now));
  CAF_CHECK(!bucket.try_take(1, now + 99ms));
  CAF_CHECK(bucket.try_take(1, now + 101ms));
  CAF_CHECK_EQUAL(bucket.available(now + 1h), 3.0);
}

CAF_TEST(the_wait_it_names_is_long_enough_and_not_too_long) {
  time_point now;
  token_bucket bucket{10, 3, now};
  CAF_CHECK(bucket.wait_for(3, now) == duration::zero());
  CAF_CHECK(bucket.try_take(3, now));
  auto wait = bucket.wait_for(2, now);
  CAF_CHECK(wait >= 200ms && wait < 201ms);
  CAF_CHECK(!bucket.try_take(2, now + wait - 1ms));
  CAF_CHECK(bucket.try_take(2, now + wait));
}

CAF_TEST(what_can_never_pass_waits_for_ever) {
  time_point now;
  token_bucket bucket{10, 3, now};
  CAF_CHECK(bucket.wait_for(4, now) == duration::max());
  token_bucket dry{0, 1, now};
  CAF_CHECK(dry.try_take(1, now));
  CAF_CHECK(dry.wait_for(1, now) == duration::max());
}

CAF_TEST(nonsense_is_harmless) {
  time_point now;
  token_bucket bucket{-1, std::nan(""), now};
  CAF_CHECK(!bucket.try_take(1, now));
  token_bucket good{1, 1, now};
  CAF_CHECK(!good.try_take(std::nan(""), now));
  CAF_CHECK(good.try_take(1, now));
  CAF_CHECK(!good.try_take(1, now - 1h));
  CAF_CHECK(good.try_take(1, now + 1s));
}

CAF_TEST(over_time_it_admits_no_more_than_rate_and_burst) {
  std::mt19937_64 random{test_seed()};
  constexpr double rate = 1000, burst = 50;
  time_point start;
  token_bucket bucket{rate, burst, start};
  double taken = 0;
  auto now = start;
  while (now < start + 20s) {
    now += std::chrono::microseconds{random() % 3000};
    auto count = static_cast<double>(random() % 8);
    if (bucket.try_take(count, now))
      taken += count;
    auto seconds = std::chrono::duration<double>(now - start).count();
    CAF_REQUIRE(taken <= rate * seconds + burst + 1e-6);
  }
  // The demand is twice the rate, so the rate is used up.
  CAF_CHECK(taken > rate * 20 * 0.95);
}
