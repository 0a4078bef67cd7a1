// SPDX-License-Identifier: MIT
#define CAF_SUITE core.timer_wheel

#include "core/timer_wheel.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using keys = std::vector<timer_wheel::key>;

keys fired(timer_wheel& wheel, time_point now) {
  keys result;
  wheel.advance(now, result);
  CAF_REQUIRE(!wheel.check_invariants());
  return result;
}

/// The naive model: deadlines sorted by the tick at which they fire.
class model {
public:
  model(time_point start, duration granularity)
      : start_(start), granularity_(granularity) {}

  void schedule(timer_wheel::key k, time_point due) {
    cancel(k);
    auto tick = due <= start_ ? 0
                              : (due - start_ + granularity_ - duration{1})
                                    / granularity_;
    deadlines_.emplace(std::max<int64_t>(tick, tick_ + 1), k);
  }

  bool cancel(timer_wheel::key k) {
    return std::erase_if(deadlines_, [k](auto& x) { return x.second == k; })
           > 0;
  }

  /// Ticks and sorted keys.
  std::multimap<int64_t, timer_wheel::key> advance(time_point now) {
    tick_ = std::max<int64_t>(tick_, (now - start_) / granularity_);
    std::multimap<int64_t, timer_wheel::key> result;
    auto end = deadlines_.upper_bound(tick_);
    result.insert(deadlines_.begin(), end);
    deadlines_.erase(deadlines_.begin(), end);
    return result;
  }

  size_t size() const { return deadlines_.size(); }

private:
  time_point start_;
  duration granularity_;
  int64_t tick_ = 0;
  std::multimap<int64_t, timer_wheel::key> deadlines_;
};

/// Deadlines near and far, so that all wheels turn.
duration random_distance(std::mt19937_64& random, duration granularity) {
  auto bits = random() % 27;
  auto ticks = static_cast<int64_t>(random() & ((uint64_t{1} << bits) - 1));
  return granularity * ticks + duration{static_cast<int64_t>(random() % 1000)};
}

void compare_with_model(uint64_t seed, duration granularity, time_point start) {
  std::mt19937_64 random{seed};
  timer_wheel wheel{start, granularity};
  model expected{start, granularity};
  auto now = start;
  for (int step = 0; step < 4000; ++step) {
    auto k = static_cast<timer_wheel::key>(random() % 200);
    if (random() % 8 == 0) {
      CAF_REQUIRE_EQUAL(wheel.cancel(k), expected.cancel(k));
    } else if (random() % 2 == 0) {
      auto due = now + random_distance(random, granularity);
      wheel.schedule(k, due);
      expected.schedule(k, due);
    } else {
      now += random_distance(random, granularity);
      auto got = fired(wheel, now);
      auto want = expected.advance(now);
      CAF_REQUIRE_EQUAL(got.size(), want.size());
      // Keys of one tick may come in any order.
      auto at = got.begin();
      for (auto i = want.begin(); i != want.end();) {
        std::multiset<timer_wheel::key> one_tick;
        auto end = want.upper_bound(i->first);
        for (; i != end; ++i)
          one_tick.insert(i->second);
        auto last = at + static_cast<std::ptrdiff_t>(one_tick.size());
        CAF_REQUIRE((one_tick == std::multiset<timer_wheel::key>(at, last)));
        at = last;
      }
    }
    CAF_REQUIRE_EQUAL(wheel.size(), expected.size());
  }
}

} // namespace

CAF_TEST(a_deadline_fires_once_never_early_and_at_most_one_tick_late) {
  time_point start{1h};
  timer_wheel wheel{start, 100ms};
  wheel.schedule(7, start + 250ms);
  CAF_CHECK(fired(wheel, start + 249ms).empty());
  CAF_CHECK(fired(wheel, start + 299ms).empty());
  CAF_CHECK(fired(wheel, start + 300ms) == keys{7});
  CAF_CHECK(!wheel.is_scheduled(7));
  CAF_CHECK(fired(wheel, start + 1h).empty());
}

CAF_TEST(scheduling_again_replaces_the_deadline) {
  time_point start;
  timer_wheel wheel{start};
  wheel.schedule(1, start + 1s);
  wheel.schedule(1, start + 5s);
  CAF_CHECK_EQUAL(wheel.size(), 1u);
  CAF_CHECK(fired(wheel, start + 4s).empty());
  CAF_CHECK(fired(wheel, start + 5s) == keys{1});
}

CAF_TEST(a_cancelled_deadline_never_fires) {
  time_point start;
  timer_wheel wheel{start};
  wheel.schedule(1, start + 1s);
  CAF_CHECK(wheel.cancel(1));
  CAF_CHECK(!wheel.cancel(1));
  CAF_CHECK(!wheel.cancel(999));
  CAF_CHECK(fired(wheel, start + 1h).empty());
}

CAF_TEST(a_deadline_in_the_past_fires_at_the_next_tick) {
  time_point start{1h};
  timer_wheel wheel{start, 100ms};
  fired(wheel, start + 1s);
  wheel.schedule(3, start - 30min);
  CAF_CHECK(fired(wheel, start + 1099ms).empty());
  CAF_CHECK(fired(wheel, start + 1100ms) == keys{3});
}

CAF_TEST(time_that_runs_backwards_changes_nothing) {
  time_point start{1h};
  timer_wheel wheel{start};
  wheel.schedule(3, start + 2s);
  CAF_CHECK(fired(wheel, start + 1s).empty());
  CAF_CHECK(fired(wheel, start).empty());
  CAF_CHECK(fired(wheel, start - 1h).empty());
  CAF_CHECK(fired(wheel, start + 2s) == keys{3});
}

CAF_TEST(years_pass_at_once_when_nothing_is_due) {
  time_point start;
  timer_wheel wheel{start, 1ms};
  CAF_CHECK(fired(wheel, start + 24h * 1000).empty());
  wheel.schedule(1, start + 24h * 1020);
  CAF_CHECK(fired(wheel, start + 24h * 1019).empty());
  CAF_CHECK(fired(wheel, start + 24h * 1021) == keys{1});
}

CAF_TEST(it_outlives_the_wrap_of_its_32_bits) {
  // 2^32 ms are 49.7 days.
  time_point start;
  timer_wheel wheel{start, 1ms};
  auto wrap = start + 1ms * (int64_t{1} << 32);
  fired(wheel, wrap - 10s);
  wheel.schedule(1, wrap - 1ms);
  wheel.schedule(2, wrap);
  wheel.schedule(3, wrap + 5s);
  wheel.schedule(4, wrap + 24h * 20);
  CAF_CHECK((fired(wheel, wrap) == keys{1, 2}));
  CAF_CHECK((fired(wheel, wrap + 5s) == keys{3}));
  CAF_CHECK((fired(wheel, wrap + 24h * 19).empty()));
  CAF_CHECK((fired(wheel, wrap + 24h * 20) == keys{4}));
}

CAF_TEST(it_fires_what_a_sorted_map_would_fire) {
  auto seed = test_seed();
  compare_with_model(seed, 100ms, time_point{1h});
  compare_with_model(seed + 1, 1ms, time_point{});
  compare_with_model(seed + 2, 7us, time_point{3s});
}

CAF_TEST(a_million_deadlines_are_cheap) {
  time_point start;
  timer_wheel wheel{start};
  constexpr timer_wheel::key count = 1'000'000;
  for (timer_wheel::key k = 0; k < count; ++k)
    wheel.schedule(k, start + 120s + k % 1000 * 1ms);
  CAF_CHECK_EQUAL(wheel.size(), count);
  CAF_CHECK(wheel.byte_count() < 13u * count);
  keys out;
  wheel.advance(start + 122s, out);
  CAF_CHECK_EQUAL(out.size(), count);
}
