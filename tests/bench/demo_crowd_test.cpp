// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.demo_crowd

#include "bench/demo/crowd.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <deque>
#include <map>
#include <random>
#include <set>

using namespace fantail;
using namespace fantail::demo;
using namespace std::chrono_literals;

namespace {

using action = crowd::action;
using kind = crowd::action::kind;

struct fixture {
  crowd tested;
  time_point now{};
  std::vector<action> out;

  void say(uint32_t user, uint32_t channel) {
    tested.take({0, trace_row::kind::message, channel, user, 9}, now, out);
  }
  void join(uint32_t user, uint32_t channel) {
    tested.take({0, trace_row::kind::join, channel, user, 0}, now, out);
  }
  void leave(uint32_t user, uint32_t channel) {
    tested.take({0, trace_row::kind::leave, channel, user, 0}, now, out);
  }

  void answer(const action& change, bool succeeded = true) {
    tested.answered(change, succeeded, now, out);
  }

  /// What came out, as words.
  std::string take_words() {
    std::string result;
    for (auto& x : std::exchange(out, {})) {
      static constexpr const char* words[]
          = {"online", "join", "leave", "offline", "publish"};
      result.append(words[static_cast<int>(x.what)]).append(" ");
      last = x;
    }
    return result;
  }

  action last;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(demo_crowd_tests, fixture)

CAF_TEST(a message waits until its sender is a member) {
  say(1, 7);
  CAF_CHECK_EQUAL(take_words(), "online ");
  say(1, 7);
  CAF_CHECK_EQUAL(take_words(), "");
  CAF_CHECK_EQUAL(tested.held_back(), 2u);
  now += 5ms;
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "publish publish ");
  CAF_CHECK(last.intended == now);
  CAF_CHECK_EQUAL(tested.memberships(), 1u);
  say(1, 7);
  CAF_CHECK_EQUAL(take_words(), "publish ");
}

CAF_TEST(a second channel is joined and the first kept) {
  join(1, 7);
  join(1, 8);
  CAF_CHECK_EQUAL(take_words(), "online join ");
  CAF_CHECK_EQUAL(tested.online(), 1u);
}

CAF_TEST(who left all channels goes offline) {
  join(1, 7);
  answer(out.front());
  join(1, 8);
  answer(out.back());
  take_words();
  leave(1, 7);
  CAF_CHECK_EQUAL(take_words(), "leave ");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "");
  leave(1, 8);
  take_words();
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "offline ");
  CAF_CHECK_EQUAL(tested.online(), 0u);
}

CAF_TEST(a leave during a join follows it) {
  say(1, 7);
  leave(1, 7);
  CAF_CHECK_EQUAL(take_words(), "online ");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "publish leave ");
}

CAF_TEST(a message during a leave joins again) {
  join(1, 7);
  answer(out.front());
  take_words();
  leave(1, 7);
  take_words();
  say(1, 7);
  CAF_CHECK_EQUAL(take_words(), "");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "join ");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "publish ");
}

CAF_TEST(who speaks between two leaves is heard) {
  join(1, 7);
  answer(out.front());
  take_words();
  leave(1, 7);
  take_words();
  say(1, 7);
  leave(1, 7);
  CAF_CHECK_EQUAL(take_words(), "");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "join ");
  answer(last);
  CAF_CHECK_EQUAL(take_words(), "publish leave ");
  CAF_CHECK_EQUAL(tested.held_back(), 0u);
}

CAF_TEST(a failed join drops the messages that waited for it) {
  say(1, 7);
  take_words();
  action online{kind::online, 7, 1, 0, {}};
  answer(online, false);
  CAF_CHECK_EQUAL(take_words(), "offline ");
  CAF_CHECK_EQUAL(tested.held_back(), 0u);
}

CAF_TEST(everybody is a member whenever they speak) {
  std::mt19937_64 random{test_seed()};
  std::map<uint32_t, std::deque<action>> under_way;
  std::set<std::pair<uint32_t, uint32_t>> members;
  std::set<uint32_t> online;
  size_t said = 0, published = 0;
  auto absorb = [&] {
    for (auto& x : std::exchange(out, {})) {
      if (x.what == kind::publish) {
        CAF_REQUIRE(members.contains({x.user, x.channel}));
        ++published;
      } else if (x.what == kind::offline) {
        CAF_REQUIRE(online.erase(x.user) == 1);
      } else {
        if (x.what == kind::online)
          CAF_REQUIRE(online.insert(x.user).second);
        if (x.what == kind::leave)
          CAF_REQUIRE(members.erase({x.user, x.channel}) == 1);
        under_way[x.user].push_back(x);
      }
    }
  };
  for (int step = 0; step < 100'000; ++step) {
    auto user = static_cast<uint32_t>(random() % 10);
    auto channel = static_cast<uint32_t>(random() % 4);
    switch (random() % 5) {
    case 0:
      join(user, channel);
      break;
    case 1:
      leave(user, channel);
      break;
    case 2:
      say(user, channel);
      ++said;
      break;
    default:
      if (auto& queue = under_way[user]; !queue.empty()) {
        auto x = queue.front();
        queue.pop_front();
        if (x.what != kind::leave)
          members.insert({x.user, x.channel});
        answer(x);
      }
    }
    absorb();
    CAF_REQUIRE_EQUAL(tested.memberships(), members.size());
    CAF_REQUIRE_EQUAL(tested.online(), online.size());
    CAF_REQUIRE_EQUAL(tested.held_back(), said - published);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
