// SPDX-License-Identifier: MIT
#define CAF_SUITE core.backoff

#include "core/backoff.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>

using namespace fantail;
using namespace std::chrono_literals;

CAF_TEST(pauses_double_from_the_base_to_the_cap) {
  backoff retry;
  // Full jitter is the whole pause: 250 ms · 2^n, at most 30 s.
  for (auto expected : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms,
                        30000ms, 30000ms})
    CAF_CHECK(retry.next(1) == expected);
  CAF_CHECK_EQUAL(retry.attempts(), 9u);
}

CAF_TEST(jitter_takes_away_at_most_half) {
  for (auto jitter : {0.0, 0.25, 0.5, 0.999}) {
    backoff retry;
    auto pause = retry.next(jitter);
    CAF_CHECK(pause >= 125ms && pause < 250ms);
  }
}

CAF_TEST(a_success_starts_over) {
  backoff retry;
  retry.next(0);
  retry.next(0);
  retry.reset();
  CAF_CHECK_EQUAL(retry.attempts(), 0u);
  CAF_CHECK(retry.next(1) == 250ms);
}

CAF_TEST(no_number_of_attempts_overflows) {
  backoff retry{{1h, duration::max(), 1000}};
  duration last{};
  for (int i = 0; i < 1000; ++i) {
    auto pause = retry.next(1);
    CAF_REQUIRE(pause >= last);
    last = pause;
  }
}

CAF_TEST(nonsense_is_harmless) {
  backoff retry{{-1s, 10s, std::nan("")}};
  CAF_CHECK(retry.next(std::nan("")) == 0s);
  backoff capped{{20s, 10s, 0.5}};
  CAF_CHECK(capped.next(7) == 10s);
  CAF_CHECK(capped.next(-7) == 5s);
}
