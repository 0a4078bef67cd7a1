// SPDX-License-Identifier: MIT
#define CAF_SUITE core.delivery.settle_tracker

#include "core/delivery/settle_tracker.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>
#include <set>

using namespace fantail;

namespace {

constexpr auto all = settle_tracker::first_groups(2);

} // namespace

CAF_TEST(a_pull_settles_when_its_last_group_confirms) {
  settle_tracker tracker{position{10}};
  CAF_CHECK(tracker.opened(1, position{20}, all, 100));
  CAF_CHECK(!tracker.confirmed(1, 0));
  CAF_CHECK(tracker.settled() == position{10});
  CAF_CHECK_EQUAL(tracker.blocking_groups(), 2u);
  CAF_CHECK(tracker.confirmed(1, 1));
  CAF_CHECK(tracker.settled() == position{20});
  CAF_CHECK_EQUAL(tracker.unsettled_bytes(), 0u);
}

CAF_TEST(a_gap_holds_back_what_lies_behind_it) {
  settle_tracker tracker{position{0}};
  for (uint64_t n = 1; n <= 3; ++n)
    tracker.opened(n, position{n * 10}, 1, 5);
  CAF_CHECK(!tracker.confirmed(3, 0));
  CAF_CHECK(!tracker.confirmed(2, 0));
  CAF_CHECK_EQUAL(tracker.unsettled_pulls(), 3u);
  CAF_CHECK(tracker.confirmed(1, 0));
  CAF_CHECK(tracker.settled() == position{30});
}

CAF_TEST(repeated_and_unknown_confirmations_do_nothing) {
  settle_tracker tracker{position{0}};
  tracker.opened(1, position{10}, all, 5);
  CAF_CHECK(!tracker.confirmed(1, 0));
  CAF_CHECK(!tracker.confirmed(1, 0));
  CAF_CHECK(!tracker.confirmed(1, 7));
  CAF_CHECK(!tracker.confirmed(1, 64));
  CAF_CHECK(!tracker.confirmed(0, 1));
  CAF_CHECK(!tracker.confirmed(2, 1));
  CAF_CHECK(tracker.confirmed(1, 1));
  CAF_CHECK(!tracker.confirmed(1, 1));
  CAF_CHECK(tracker.settled() == position{10});
}

CAF_TEST(a_pull_nobody_receives_settles_in_its_turn) {
  settle_tracker tracker{position{0}};
  tracker.opened(1, position{10}, 0, 0);
  CAF_CHECK(tracker.settled() == position{10});
  tracker.opened(2, position{20}, 1, 5);
  tracker.opened(3, position{30}, 0, 0);
  CAF_CHECK(tracker.settled() == position{10});
  CAF_CHECK(tracker.confirmed(2, 0));
  CAF_CHECK(tracker.settled() == position{30});
}

CAF_TEST(pulls_out_of_order_are_refused) {
  settle_tracker tracker{position{10}};
  CAF_CHECK(!tracker.opened(2, position{20}, all, 1));
  CAF_CHECK(!tracker.opened(1, position{9}, all, 1));
  CAF_CHECK(tracker.opened(1, position{20}, all, 1));
  CAF_CHECK(!tracker.opened(1, position{20}, all, 1));
  CAF_CHECK(!tracker.opened(2, position{19}, all, 1));
  CAF_CHECK_EQUAL(tracker.next_number(), 2u);
}

CAF_TEST(it_agrees_with_a_map_of_sets) {
  std::mt19937_64 random{test_seed()};
  settle_tracker tracker{position{0}};
  struct entry {
    uint64_t to;
    std::set<unsigned> groups;
    size_t bytes;
  };
  std::map<uint64_t, entry> model;
  uint64_t last = 0, to = 0, settled = 0;
  for (int step = 0; step < 50'000; ++step) {
    if (random() % 4 == 0) {
      auto groups = random() % 16;
      auto bytes = random() % 1000;
      to += random() % 100;
      CAF_REQUIRE(tracker.opened(++last, position{to}, groups, bytes));
      auto& x = model[last] = {to, {}, bytes};
      for (unsigned g = 0; g < 4; ++g)
        if (groups >> g & 1)
          x.groups.insert(g);
    } else {
      auto number = last - std::min(last, random() % 12);
      auto group = static_cast<unsigned>(random() % 4);
      tracker.confirmed(number, group);
      if (auto i = model.find(number); i != model.end())
        i->second.groups.erase(group);
    }
    while (!model.empty() && model.begin()->second.groups.empty()) {
      settled = model.begin()->second.to;
      model.erase(model.begin());
    }
    size_t bytes = 0;
    for (auto& [number, x] : model)
      bytes += x.bytes;
    CAF_REQUIRE(!tracker.check_invariants());
    CAF_REQUIRE(tracker.settled() == position{settled});
    CAF_REQUIRE_EQUAL(tracker.unsettled_pulls(), model.size());
    CAF_REQUIRE_EQUAL(tracker.unsettled_bytes(), bytes);
    // Keeps the naive model small.
    if (model.size() > 50)
      for (uint64_t n = model.begin()->first; n + 12 < last; ++n)
        for (unsigned g = 0; g < 4; ++g) {
          tracker.confirmed(n, g);
          if (auto i = model.find(n); i != model.end())
            i->second.groups.erase(g);
        }
  }
}
