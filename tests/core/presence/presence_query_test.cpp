// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.presence_query

#include "core/limits.hpp"
#include "core/presence/presence_query.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;

CAF_TEST(a question about a channel has defaults) {
  for (auto* body : {"", "{}"}) {
    auto x = decode_channel_question(body);
    CAF_REQUIRE(x);
    CAF_CHECK_EQUAL(x->limit, limits::query_users_default);
    CAF_CHECK(!x->from);
  }
  auto x = decode_channel_question(R"({"limit":7,"next":"3-4711"})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->limit, 7u);
  CAF_CHECK(x->from == (user_key{presence_shard_id{3}, user_handle{4711}}));
}

CAF_TEST(bad questions and requests are refused with a reason) {
  using reject = control_reject;
  auto channel = [](const char* body) {
    return decode_channel_question(body).reason;
  };
  CAF_CHECK(channel("[]") == reject::malformed);
  CAF_CHECK(channel("{") == reject::malformed);
  CAF_CHECK(channel(R"({"limit":0})") == reject::wrong_type);
  CAF_CHECK(channel(R"({"limit":1001})") == reject::wrong_type);
  CAF_CHECK(channel(R"({"limit":"7"})") == reject::wrong_type);
  for (auto* next : {"x", "3", "3-", "-3", "3-x", "64-1", "3-99999999999"})
    CAF_CHECK(channel((R"({"next":")" + std::string{next} + "\"}").c_str())
              == reject::malformed);
  auto watch = [](const char* body) {
    return decode_watch_request(body).reason;
  };
  CAF_CHECK(watch("") == reject::malformed);
  CAF_CHECK(watch("{}") == reject::missing_member);
  CAF_CHECK(watch(R"({"deliver_to":"messages.send.x"})") == reject::wrong_type);
  CAF_CHECK(watch(R"({"deliver_to":"_INBOX.a","op":"stop"})")
            == reject::unknown_op);
}

CAF_TEST(a request to watch is read) {
  auto x = decode_watch_request(R"({"deliver_to":"_INBOX.a.1"})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->deliver_to, "_INBOX.a.1");
  CAF_CHECK(!x->is_end);
  auto end = decode_watch_request(R"({"deliver_to":"_INBOX.a","op":"end"})");
  CAF_REQUIRE(end);
  CAF_CHECK(end->is_end);
}

CAF_TEST(cursors survive the wire) {
  std::mt19937_64 random{test_seed()};
  for (int i = 0; i < 1'000; ++i) {
    user_key x{presence_shard_id{static_cast<uint16_t>(random() % 64)},
               user_handle{static_cast<uint32_t>(random())}};
    CAF_REQUIRE(cursor_from(to_cursor(x)) == x);
  }
}

CAF_TEST(answers are the JSON of the protocol) {
  channel_answer channel{"general", "n1-7", 12, {{"n1", 2}, {"n2", 1}}, {}, {}};
  channel.users.push_back({"ada", {"n1", "n2"}});
  channel.next = user_key{presence_shard_id{1}, user_handle{9}};
  CAF_CHECK_EQUAL(
      encode(channel),
      R"({"channel":"general","instances":{"n1":2,"n2":1},"life":"n1-7",)"
      R"("next":"1-9","online":3,"status":"ok",)"
      R"("users":[{"instances":["n1","n2"],"user":"ada"}],"version":12})");
  CAF_CHECK_EQUAL(
      encode(user_answer{"ada", "n1-7", log_position{5}, {{"s1", "n1"}}}),
      R"({"life":"n1-7","online":true,)"
      R"("sessions":[{"instance":"n1","session":"s1"}],)"
      R"("status":"ok","user":"ada","version":5})");
  presence_topic topic{presence_topic::kind::channel, "general"};
  CAF_CHECK_EQUAL(encode(watch_answer{topic, "n1-7-3", 60'000, 4}),
                  R"({"channel":"general","lease_ms":60000,"number":4,)"
                  R"("status":"watching","watch":"n1-7-3"})");
  CAF_CHECK_EQUAL(encode_rejected(topic, control_reject::busy, "later"),
                  R"({"channel":"general","detail":"later","reason":"busy",)"
                  R"("status":"rejected"})");
}
