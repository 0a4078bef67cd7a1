// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.stream_times

#include "core/routing/stream_times.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <vector>

using namespace fantail;

CAF_TEST(no event behind a position is earlier than its time) {
  auto seed = test_seed();
  std::mt19937_64 random{seed};
  stream_times tested{64};
  std::vector<int64_t> stored{0};
  int64_t now = 1'000;
  for (uint64_t at = 1; at < 20'000; ++at) {
    now += static_cast<int64_t>(random() % 20'000'000);
    stored.push_back(now);
    tested.note(position{at}, now);
  }
  uint64_t known = 0;
  for (uint64_t at = 0; at + 1 < stored.size(); ++at) {
    auto time = tested.time_behind(position{at});
    CAF_REQUIRE(time <= stored[at + 1]);
    if (time == INT64_MIN)
      continue; // Older than what is remembered.
    known = known == 0 ? at : known;
    // Not needlessly early: entries are a second apart.
    CAF_CHECK(stored[at + 1] - time < 1'100'000'000);
  }
  // 64 entries, a second apart, of 10 ms each.
  CAF_CHECK(known > 0 && known < stored.size() - 6'000);
}

CAF_TEST(what is not known may be any time) {
  stream_times tested;
  CAF_CHECK_EQUAL(tested.time_behind(position{5}), INT64_MIN);
  tested.note(position{7}, 100);
  tested.note(position{7}, 100);
  CAF_CHECK_EQUAL(tested.time_behind(position{0}), INT64_MIN);
  CAF_CHECK_EQUAL(tested.time_behind(position{6}), 100);
  CAF_CHECK_EQUAL(tested.time_behind(position{99}), 100);
  tested.clear();
  CAF_CHECK_EQUAL(tested.time_behind(position{99}), INT64_MIN);
}
