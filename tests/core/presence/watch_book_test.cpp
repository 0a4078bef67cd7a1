// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.watch_book

#include "core/presence/watch_book.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <set>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using kind = presence_topic::kind;

const presence_topic ada{kind::user, "ada"};
const presence_topic general{kind::channel, "general"};

struct fixture {
  watch_book book{{"n1-7", 10s, 200ms, 3}};
  time_point now{std::chrono::hours{1}};
  std::vector<presence_topic> ended;

  bool open(const presence_topic& topic, const std::string& inbox) {
    return book.open(topic, inbox, now).reason == control_reject::none;
  }

  /// What goes out after `time`.
  std::vector<watch_book::outgoing> pass(duration time) {
    now += time;
    std::vector<watch_book::outgoing> result;
    book.tick(now, result, ended);
    return result;
  }
};

int64_t number_of(const watch_book::outgoing& x) {
  return json::parse(x.body)->int_or("number", -1);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(watch_book_tests, fixture)

CAF_TEST(a change goes out at once and those behind it are collected) {
  CAF_REQUIRE(open(ada, "_INBOX.a"));
  CAF_CHECK(pass(1ms).empty());
  book.user_changed("ada", log_position{5}, {"n1"});
  auto first = pass(1ms);
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK_EQUAL(first[0].deliver_to, "_INBOX.a");
  CAF_CHECK_EQUAL(first[0].body,
                  R"({"instances":["n1"],"number":1,"online":true,)"
                  R"("user":"ada","version":5,"watch":"n1-7-1"})");
  book.user_changed("ada", log_position{6}, {});
  book.user_changed("ada", log_position{7}, {"n2"});
  CAF_CHECK(pass(150ms).empty());
  auto second = pass(50ms);
  CAF_REQUIRE_EQUAL(second.size(), 1u);
  CAF_CHECK(second[0].body.find(R"("instances":["n2"],"number":2)")
            != std::string::npos);
  CAF_CHECK(pass(1s).empty());
}

CAF_TEST(a channel tells the newest state of each user) {
  CAF_REQUIRE(open(general, "_INBOX.a"));
  CAF_REQUIRE(open(general, "_INBOX.b"));
  book.channel_changed("general", 8, "ada", true);
  book.channel_changed("general", 9, "bob", true);
  book.channel_changed("general", 10, "ada", false);
  book.channel_changed("other", 11, "eve", true);
  auto out = pass(0ms);
  CAF_REQUIRE_EQUAL(out.size(), 2u);
  CAF_CHECK_EQUAL(out[0].body,
                  R"({"changes":[{"online":false,"user":"ada"},)"
                  R"({"online":true,"user":"bob"}],"channel":"general",)"
                  R"("number":1,"version":10,"watch":"n1-7-1"})");
  CAF_CHECK_EQUAL(out[1].deliver_to, "_INBOX.b");
}

CAF_TEST(a full batch does not wait) {
  CAF_REQUIRE(open(general, "_INBOX.a"));
  book.channel_changed("general", 1, "ada", true);
  CAF_CHECK_EQUAL(pass(0ms).size(), 1u);
  for (size_t i = 0; i < limits::watch_users_max; ++i)
    book.channel_changed("general", 2, "u" + std::to_string(i), true);
  CAF_CHECK_EQUAL(pass(1ms).size(), 1u);
}

CAF_TEST(leases run out unless they are renewed) {
  auto first = book.open(ada, "_INBOX.a", now);
  CAF_CHECK(first.is_first);
  pass(9s);
  book.user_changed("ada", log_position{1}, {"n1"});
  CAF_CHECK_EQUAL(pass(0ms).size(), 1u);
  auto again = book.open(ada, "_INBOX.a", now);
  CAF_CHECK(!again.is_first);
  CAF_CHECK_EQUAL(again.answer.watch, first.answer.watch);
  CAF_CHECK_EQUAL(again.answer.number, 1u);
  pass(9s);
  CAF_CHECK(ended.empty());
  pass(1s);
  CAF_REQUIRE_EQUAL(ended.size(), 1u);
  CAF_CHECK(ended[0] == ada);
  CAF_CHECK_EQUAL(book.size(), 0u);
}

CAF_TEST(there are as many watches as allowed) {
  for (auto* inbox : {"_INBOX.a", "_INBOX.b", "_INBOX.c"})
    CAF_CHECK(open(ada, inbox));
  CAF_CHECK(book.open(general, "_INBOX.d", now).reason
            == control_reject::too_many_watches);
  CAF_CHECK(!book.has(general));
  CAF_CHECK(open(ada, "_INBOX.b"));
  CAF_CHECK(!book.end(ada, "_INBOX.b"));
  CAF_CHECK(open(general, "_INBOX.d"));
  CAF_CHECK(book.end(general, "_INBOX.d"));
  CAF_CHECK(!book.end(general, "_INBOX.d"));
}

CAF_TEST(what cannot be told is a missing number) {
  CAF_REQUIRE(open(general, "_INBOX.a"));
  book.missed(general);
  auto out = pass(1s);
  CAF_REQUIRE_EQUAL(out.size(), 1u);
  CAF_CHECK_EQUAL(number_of(out[0]), 2);
  book.channel_changed("general", 4, "ada", true);
  out = pass(1s);
  CAF_REQUIRE_EQUAL(out.size(), 1u);
  CAF_CHECK_EQUAL(number_of(out[0]), 3);
}

CAF_TEST(numbers have no gaps and the last message tells the truth) {
  std::mt19937_64 random{test_seed()};
  watch_book many{{"n1-7", 1h, 200ms, 100}};
  std::map<std::string, std::map<std::string, bool>> truth, told;
  std::map<std::string, int64_t> numbers;
  std::set<std::string> inboxes;
  for (int step = 0; step < 5'000; ++step) {
    auto channel = "c" + std::to_string(random() % 3);
    presence_topic topic{kind::channel, channel};
    if (random() % 50 == 0) {
      // One inbox per channel, so that it tells which one a message is of.
      many.open(topic, "_INBOX." + channel, now);
    }
    auto user = "u" + std::to_string(random() % 20);
    auto is_online = random() % 2 == 0;
    if (many.has(topic))
      truth[channel][user] = is_online;
    many.channel_changed(channel, static_cast<uint64_t>(step), user, is_online);
    now += std::chrono::milliseconds{random() % 80};
    std::vector<watch_book::outgoing> out;
    many.tick(now, out, ended);
    if (step + 1 == 5'000) {
      now += 1s;
      many.tick(now, out, ended);
    }
    for (auto& x : out) {
      CAF_REQUIRE_EQUAL(number_of(x), ++numbers[x.deliver_to]);
      auto body = *json::parse(x.body);
      for (auto& change : *body.find("changes")->if_array())
        told[body.string_or("channel", "")][change.string_or("user", "")]
            = change.bool_or("online", false);
    }
  }
  CAF_CHECK(truth == told);
}

CAF_TEST_FIXTURE_SCOPE_END()
