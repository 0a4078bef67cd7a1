// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.departures

#include "core/routing/departures.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <set>

using namespace fantail;

namespace {

struct fixture {
  void record(uint32_t row, uint16_t instance, int64_t left_at_ns) {
    history.record(row_id{row}, instance_index{instance}, left_at_ns,
                   forgotten);
  }

  std::multiset<uint16_t> departing(uint32_t row, int64_t stored_at_ns) {
    std::multiset<uint16_t> result;
    history.for_each(row_id{row}, stored_at_ns,
                     [&](auto x) { result.insert(x.value); });
    return result;
  }

  using instances = std::multiset<uint16_t>;

  departures history{100};
  std::vector<row_id> forgotten;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(departures_tests, fixture)

CAF_TEST(an event stored before a departure still concerns the instance) {
  record(1, 7, 1000);
  CAF_CHECK(departing(1, 999) == instances{7});
  CAF_CHECK(departing(1, 1000) == instances{7});
  CAF_CHECK(departing(1, 1001).empty());
  CAF_CHECK(departing(2, 999).empty());
}

CAF_TEST(a row remembers every instance that left it) {
  record(1, 7, 1000);
  record(2, 7, 1500);
  record(1, 8, 2000);
  record(1, 7, 3000);
  CAF_CHECK(departing(1, 500) == (instances{7, 7, 8}));
  CAF_CHECK(departing(1, 1500) == (instances{7, 8}));
  CAF_CHECK(departing(1, 2500) == instances{7});
}

CAF_TEST(what is older than every event to come is forgotten) {
  record(1, 7, 1000);
  record(1, 8, 2000);
  record(2, 9, 2000);
  history.expire(1001, forgotten);
  CAF_CHECK(forgotten.empty());
  CAF_CHECK(departing(1, 0) == instances{8});
  history.expire(2000, forgotten);
  CAF_CHECK_EQUAL(history.size(), 2u);
  history.expire(2001, forgotten);
  CAF_CHECK(history.empty());
  CAF_CHECK(forgotten == (std::vector{row_id{1}, row_id{2}}));
}

CAF_TEST(beyond the bound the oldest is forgotten and counted) {
  for (uint16_t i = 0; i < 103; ++i)
    record(i < 2 ? 0 : 1, i, 1000);
  CAF_CHECK_EQUAL(history.size(), 100u);
  CAF_CHECK_EQUAL(history.overflowed(), 3u);
  CAF_CHECK(forgotten == std::vector{row_id{0}});
  CAF_CHECK(!departing(1, 0).contains(2));
  CAF_CHECK(departing(1, 0).contains(3));
  CAF_CHECK(history.check_invariants());
}

CAF_TEST(random departures agree with a list) {
  struct departure {
    uint32_t row;
    uint16_t instance;
    int64_t left_at_ns;
  };
  std::mt19937_64 random{test_seed()};
  std::deque<departure> model;
  int64_t now = 0;
  size_t wrong = 0, broken = 0;
  for (int step = 0; step < 300'000; ++step) {
    now += static_cast<int64_t>(random() % 3);
    auto row = static_cast<uint32_t>(random() % 20);
    if (random() % 3 > 0) {
      // Presence shards interleave, so times do not quite rise.
      departure x{row, static_cast<uint16_t>(random() % 9),
                  now - static_cast<int64_t>(random() % 10)};
      record(x.row, x.instance, x.left_at_ns);
      model.push_back(x);
      if (model.size() > 100)
        model.pop_front();
    } else {
      auto until = now - 50;
      history.expire(until, forgotten);
      while (!model.empty() && model.front().left_at_ns < until)
        model.pop_front();
    }
    instances expected;
    auto stored = now - static_cast<int64_t>(random() % 80);
    auto has = false;
    for (auto& x : model) {
      has |= x.row == row;
      if (x.row == row && stored <= x.left_at_ns)
        expected.insert(x.instance);
    }
    wrong += departing(row, stored) != expected
             || history.has(row_id{row}) != has
             || history.size() != model.size();
    if (step % 1'000 == 0)
      broken += !history.check_invariants();
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
