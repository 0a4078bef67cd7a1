// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.presence_codec

#include "core/presence/presence_codec.hpp"
#include "core/subject.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;

namespace {

presence_update full_update(presence_op op) {
  presence_update x;
  x.op = op;
  x.session = "s-1";
  x.instance = "notif-001";
  x.channels.push_back("general");
  x.channels.push_back("random");
  x.channels.push_back("general");
  x.has_channels = true;
  x.reply_to = "_INBOX.k3.1";
  return x;
}

std::string refusal_of(std::string_view body) {
  return std::string{to_string(parse_presence_update(body).reason)};
}

std::string with_channels(size_t count, size_t name_size) {
  std::string body = R"({"op":"set","reply_to":"_INBOX.a","channels":[)";
  for (size_t i = 0; i < count; ++i)
    body += (i ? ",\"" : "\"") + std::string(name_size, 'x') + "\"";
  return body + "]}";
}

/// An accepted update keeps every promise of its documentation.
void check_accepted(const presence_update& x) {
  CAF_REQUIRE(x.session.empty() || is_token(x.session));
  CAF_REQUIRE(x.instance.empty() || is_token(x.instance));
  CAF_REQUIRE(x.reply_to.empty() || is_reply_subject(x.reply_to));
  CAF_REQUIRE(x.has_channels || x.channels.empty());
  for (auto name : x.channels)
    CAF_REQUIRE(is_token(name));
  if (x.op == presence_op::online)
    CAF_REQUIRE(!x.session.empty() && !x.instance.empty());
  if (x.op == presence_op::offline || x.op == presence_op::expire)
    CAF_REQUIRE(!x.session.empty());
  if (x.op == presence_op::set || x.op == presence_op::join
      || x.op == presence_op::leave)
    CAF_REQUIRE(x.has_channels);
}

} // namespace

CAF_TEST(an_update_with_every_field_set_survives_the_round_trip) {
  for (auto op : {presence_op::online, presence_op::offline, presence_op::set,
                  presence_op::join, presence_op::leave, presence_op::expire,
                  presence_op::evict}) {
    auto x = full_update(op);
    auto parsed = parse_presence_update(encode(x));
    CAF_CHECK(parsed.ok());
    CAF_CHECK(parsed.update == x);
  }
}

CAF_TEST(an_update_with_the_least_fields_survives_the_round_trip) {
  presence_update x;
  x.op = presence_op::offline;
  x.session = "s";
  CAF_CHECK_EQUAL(encode(x), R"({"op":"offline","session":"s"})");
  CAF_CHECK(parse_presence_update(encode(x)).update == x);
  presence_update none;
  none.op = presence_op::set;
  none.has_channels = true;
  CAF_CHECK_EQUAL(encode(none), R"({"op":"set","channels":[]})");
  CAF_CHECK(parse_presence_update(encode(none)).update == none);
}

CAF_TEST(the_example_of_the_protocol_is_understood) {
  auto x = parse_presence_update(
      R"({"op":"online","session":"s1","instance":"notif-001",)"
      R"("channels":["general","random"],"reply_to":"_INBOX.k3.1"})");
  CAF_CHECK(x.ok());
  CAF_CHECK_EQUAL(x.update.channels.size(), 2u);
}

CAF_TEST(unknown_members_are_ignored_however_deep) {
  auto x = parse_presence_update(
      R"({"more":{"op":5,"channels":[1]},"list":[["op"],{"session":1}],)"
      R"("n":null,"op":"offline","f":1.5,"session":"s1","t":true})");
  CAF_CHECK(x.ok());
  CAF_CHECK_EQUAL(x.update.session, "s1");
}

CAF_TEST(every_refusal_has_the_word_of_the_protocol) {
  for (auto body : {"", "{", "[]", "5", "\"op\"", R"({"op":"offline")", "{}x",
                    R"([{"op":"offline","session":"s"}])", "null"})
    CAF_CHECK_EQUAL(refusal_of(body), "malformed");
  for (auto body :
       {R"({"op":1})", R"({"op":["online"]})", R"({"op":{}})",
        R"({"op":"offline","session":null})",
        R"({"op":"offline","session":[]})",
        R"({"op":"online","session":"s","instance":true})",
        R"({"op":"set","channels":"a"})", R"({"op":"set","channels":{}})",
        R"({"op":"set","channels":[1]})", R"({"op":"set","channels":[["a"]]})",
        R"({"op":"set","channels":[{"a":"b"}]})",
        R"({"op":"set","channels":["a",null]})",
        R"({"op":"set","channels":[],"reply_to":7})",
        R"({"op":"set","channels":[],"reply_to":"messages.send.x"})",
        R"({"op":"set","channels":[],"reply_to":"_INBOX.a\r\nPUB b"})"})
    CAF_CHECK_EQUAL(refusal_of(body), "wrong_type");
  for (auto body : {"{}", R"({"op":"offline"})", R"({"op":"expire"})",
                    R"({"op":"set"})", R"({"op":"join"})", R"({"op":"leave"})",
                    R"({"op":"online"})", R"({"op":"online","session":"s"})",
                    R"({"op":"online","instance":"i"})"})
    CAF_CHECK_EQUAL(refusal_of(body), "missing_member");
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"jump"})"), "unknown_op");
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"offline","session":"a b"})"),
                  "illegal_session");
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"offline","session":""})"),
                  "illegal_session");
  CAF_CHECK_EQUAL(
      refusal_of(R"({"op":"online","session":"s","instance":"a.b"})"),
      "illegal_instance");
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"join","channels":["ok","*"]})"),
                  "illegal_channel");
}

CAF_TEST(details_name_the_member) {
  auto detail = [](std::string_view body) {
    return parse_presence_update(body).detail;
  };
  CAF_CHECK_EQUAL(detail(R"({"op":"set","channels":["a","b",3]})"),
                  "channels[2] is not a string");
  CAF_CHECK_EQUAL(detail(R"({"op":"offline"})"),
                  "the member \"session\" is missing");
  CAF_CHECK_EQUAL(detail(R"({"op":"online","instance":4})"),
                  "the member \"instance\" is not a string");
}

CAF_TEST(bounds_are_the_last_accepted_values) {
  auto most = limits::channels_per_change_max;
  auto full = parse_presence_update(with_channels(most, 10));
  CAF_CHECK(full.ok());
  CAF_CHECK_EQUAL(full.update.channels.size(), most);
  CAF_CHECK_EQUAL(refusal_of(with_channels(most + 1, 10)), "too_many_channels");
  auto name = std::string(limits::token_bytes_max, 'n');
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"offline","session":")" + name + "\"}"),
                  "none");
  CAF_CHECK_EQUAL(refusal_of(R"({"op":"offline","session":")" + name + "n\"}"),
                  "illegal_session");
  std::string body = R"({"op":"set","channels":[]})";
  body.append(limits::presence_body_bytes_max - body.size(), ' ');
  CAF_CHECK_EQUAL(refusal_of(body), "none");
  CAF_CHECK_EQUAL(refusal_of(body + " "), "too_large");
}

CAF_TEST(a_refused_change_can_be_answered_whenever_its_inbox_can_be_read) {
  auto last = parse_presence_update(
      R"({"op":"join","channels":[7],"reply_to":"_INBOX.a.b"})");
  CAF_CHECK_EQUAL(last.update.reply_to, "_INBOX.a.b");
  CAF_CHECK(last.has_op && last.update.op == presence_op::join);
  auto big = parse_presence_update(with_channels(9'000, 100));
  CAF_CHECK(big.reason == presence_reject::too_large);
  CAF_CHECK_EQUAL(big.update.reply_to, "_INBOX.a");
  CAF_CHECK(big.update.channels.empty());
  auto huge = parse_presence_update(with_channels(20'000, 100));
  CAF_CHECK(huge.reason == presence_reject::too_large);
  auto evil = parse_presence_update(
      R"({"op":"set","reply_to":"_INBOX.a","reply_to":"instance.events.x"})");
  CAF_CHECK(evil.reason == presence_reject::wrong_type);
  CAF_CHECK(evil.update.reply_to.empty());
}

CAF_TEST(of_a_member_that_comes_twice_the_last_one_counts) {
  auto x = parse_presence_update(
      R"({"op":"set","channels":["a","b"],"op":"join","channels":["c"]})");
  CAF_CHECK(x.ok());
  CAF_CHECK(x.update.op == presence_op::join);
  CAF_CHECK_EQUAL(x.update.channels.size(), 1u);
}

CAF_TEST(no_bytes_crash_the_parser) {
  std::mt19937_64 random{test_seed()};
  auto valid = encode(full_update(presence_op::online));
  const std::string alphabet = "{}[]\",:01.e-ntf\\u \x80\xff";
  for (int round = 0; round < 100'000; ++round) {
    auto body = valid;
    if (round % 4 == 0) {
      body.assign(random() % 40, ' ');
      for (auto& c : body)
        c = alphabet[random() % alphabet.size()];
    }
    for (auto changes = random() % 4; changes > 0 && !body.empty(); --changes) {
      auto at = random() % body.size();
      switch (random() % 4) {
      case 0:
        body[at] = static_cast<char>(random());
        break;
      case 1:
        body[at] = alphabet[random() % alphabet.size()];
        break;
      case 2:
        body.erase(at, random() % 5);
        break;
      default:
        body.insert(at, body.substr(random() % body.size(), random() % 9));
      }
    }
    auto parsed = parse_presence_update(body);
    if (!parsed.ok()) {
      CAF_REQUIRE(!parsed.detail.empty());
      CAF_REQUIRE(parsed.detail.find('\n') == std::string::npos);
      continue;
    }
    check_accepted(parsed.update);
    CAF_REQUIRE(parse_presence_update(encode(parsed.update)).update
                == parsed.update);
  }
}

CAF_TEST(answers_survive_the_round_trip) {
  using status = presence_answer::status;
  presence_answer joined{status::joined,
                         "u1",
                         presence_op::online,
                         log_position{17},
                         {{shard_id{0}, position{1041}},
                          {shard_id{5}, position{77}},
                          {shard_id{12}, position{1}}},
                         presence_reject::none,
                         ""};
  CAF_CHECK(decode_presence_answer(encode(joined)) == joined);
  auto left = joined;
  left.what = status::left;
  left.op = presence_op::leave;
  left.positions.clear();
  CAF_CHECK(decode_presence_answer(encode(left)) == left);
  for (auto i = static_cast<uint8_t>(presence_reject::malformed);
       i <= static_cast<uint8_t>(presence_reject::membership_lost); ++i) {
    presence_answer rejected{
        status::rejected,        "u1", presence_op::join,
        log_position{19},        {},   static_cast<presence_reject>(i),
        "a \"quoted\"\r\ndetail"};
    CAF_CHECK(decode_presence_answer(encode(rejected)) == rejected);
    rejected.op.reset();
    CAF_CHECK(decode_presence_answer(encode(rejected)) == rejected);
  }
}

CAF_TEST(answers_are_spelled_as_in_the_protocol) {
  presence_answer x{
      presence_answer::status::joined,
      "u1",
      presence_op::online,
      log_position{17},
      {{shard_id{0}, position{1041}}, {shard_id{5}, position{77}}},
      presence_reject::none,
      ""};
  CAF_CHECK_EQUAL(encode(x), R"({"status":"joined","user":"u1","op":"online",)"
                             R"("version":17,"positions":{"0":1041,"5":77}})");
}

CAF_TEST(what_is_no_answer_is_refused_with_a_reason) {
  for (auto body :
       {"", "{}", "[]", R"({"status":"maybe","user":"u","version":1})",
        R"({"status":"joined","user":"u","version":1})",
        R"({"status":"joined","user":"u","version":-1,"positions":{}})",
        R"({"status":"joined","user":"u","version":1,"positions":{"64":1}})",
        R"({"status":"joined","user":"u","version":1,"positions":{"01":1}})",
        R"({"status":"joined","user":"u","version":1,"positions":{"1":"x"}})",
        R"({"status":"joined","user":5,"version":1,"positions":{}})",
        R"({"status":"left","op":"x","user":"u","version":1,"positions":{}})",
        R"({"status":"rejected","user":"u","version":1,"reason":"none"})"}) {
    std::string why;
    CAF_CHECK(!decode_presence_answer(body, &why));
    CAF_CHECK(!why.empty());
  }
}
