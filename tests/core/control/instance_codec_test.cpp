// SPDX-License-Identifier: MIT
#define CAF_SUITE core.control.instance_codec

#include "core/control/instance_codec.hpp"
#include "core/subject.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;

namespace {

const registration full_register
    = register_instance{delivery_format::frame, "i-7f3a", "_INBOX.k3.2"};

const registration_reply full_registered
    = instance_registered{"notif-001",
                          "i-7f3a",
                          8,
                          16,
                          5000,
                          65536,
                          120000,
                          {{shard_id{0}, epoch{3}, position{1041}},
                           {shard_id{2}, epoch{4}, position{7}},
                           {shard_id{10}, epoch{1}, position{0}}}};

const instance_ack full_ack{"i-7f3a",
                            {{shard_id{0}, position{1099}},
                             {shard_id{5}, position{80}},
                             {shard_id{11}, position{1}}}};

const range_request full_range{"i-7f3a", shard_id{5}, position{80},
                               position{212}};

template <class T>
std::string refusal(const decoded<T>& x) {
  CAF_CHECK(bool(x) == (x.reason == control_reject::none));
  CAF_CHECK(bool(x) == x.detail.empty());
  return std::string{to_string(x.reason)};
}

std::string mutated(std::string body, std::mt19937_64& random) {
  for (auto changes = 1 + random() % 3; changes > 0 && !body.empty();
       --changes) {
    auto at = random() % body.size();
    if (random() % 2 == 0)
      body[at] = static_cast<char>(random());
    else if (random() % 2 == 0)
      body.erase(at, random() % 6);
    else
      body.insert(at, body.substr(random() % body.size(), random() % 9));
  }
  return body;
}

} // namespace

CAF_TEST(registrations_survive_the_round_trip) {
  CAF_CHECK(decode_registration(encode(full_register)).value == full_register);
  registration plain = register_instance{delivery_format::single, "i", ""};
  CAF_CHECK(decode_registration(encode(plain)).value == plain);
  registration resumed
      = register_instance{delivery_format::frame,
                          "i",
                          "",
                          start_from::acknowledged,
                          {{shard_id{0}, epoch{3}, position{1041}}}};
  CAF_CHECK(decode_registration(encode(resumed)).value == resumed);
  registration gone = deregister_instance{"i-7f3a"};
  CAF_CHECK(decode_registration(encode(gone)).value == gone);
}

CAF_TEST(registration_answers_survive_the_round_trip) {
  CAF_CHECK(decode_registration_reply(encode(full_registered)).value
            == full_registered);
  registration_reply refused = registration_rejected{
      "notif-001", control_reject::unknown_format, "a \"detail\""};
  CAF_CHECK(decode_registration_reply(encode(refused)).value == refused);
}

CAF_TEST(acks_and_ranges_and_heartbeats_survive_the_round_trip) {
  CAF_CHECK(decode_ack(encode(full_ack)).value == full_ack);
  CAF_CHECK(decode_range_request(encode(full_range)).value == full_range);
  for (auto reason :
       {control_reject::unknown_shard, control_reject::busy,
        control_reject::unknown_instance, control_reject::malformed}) {
    range_rejected x{reason, position{0}};
    CAF_CHECK(decode_range_rejected(encode(x)).value == x);
  }
  range_rejected lost{control_reject::lost, position{4711}};
  CAF_CHECK(decode_range_rejected(encode(lost)).value == lost);
  for (auto& life : {instance_heartbeat{}, instance_heartbeat{"i-7f3a"}})
    CAF_CHECK(decode_heartbeat(encode(life)).value == life);
  CAF_CHECK(encode(instance_heartbeat{}).empty());
}

CAF_TEST(answers_to_heartbeats_survive_the_round_trip) {
  for (auto& x : {heartbeat_reply{}, heartbeat_reply{control_reject::none, 7},
                  heartbeat_reply{control_reject::old_incarnation, 0}})
    CAF_CHECK(decode_heartbeat_reply(encode(x)).value == x);
  CAF_CHECK(!decode_heartbeat_reply(R"({"status":"tired"})"));
  CAF_CHECK(!decode_heartbeat_reply(R"({"status":"alive"})"));
  CAF_CHECK(!decode_heartbeat_reply("[]"));
}

CAF_TEST(the_examples_of_the_protocol_are_understood) {
  CAF_CHECK(decode_registration(
                R"({"op":"register","format":"frame","incarnation":"i-7f3a",)"
                R"("reply_to":"_INBOX.k3.2"})")
                .value
            == full_register);
  CAF_CHECK(
      decode_registration(R"({"op":"deregister","incarnation":"i-7f3a"})"));
  auto granted = decode_registration_reply(
      R"({"status":"registered","instance":"notif-001","incarnation":"i-7f3a",)"
      R"("shards":8,"presence_shards":8,"heartbeat_ms":5000,)"
      R"("frame_bytes_max":65536,"positions":{"0":[3,1041],"1":[3,980]}})");
  CAF_CHECK(granted);
  CAF_CHECK(
      decode_ack(R"({"incarnation":"i-7f3a","positions":{"0":1099,"5":80}})"));
  CAF_CHECK(decode_range_request(
                R"({"incarnation":"i-7f3a","shard":5,"from":80,"to":212})")
                .value
            == full_range);
}

CAF_TEST(refused_registrations_say_why) {
  auto why = [](std::string_view body) {
    return refusal(decode_registration(body));
  };
  CAF_CHECK_EQUAL(why("{"), "malformed");
  CAF_CHECK_EQUAL(why("[]"), "malformed");
  CAF_CHECK_EQUAL(why("{}"), "missing_member");
  CAF_CHECK_EQUAL(why(R"({"op":"register"})"), "missing_member");
  CAF_CHECK_EQUAL(why(R"({"op":"dance","incarnation":"i"})"), "unknown_op");
  CAF_CHECK_EQUAL(why(R"({"op":7,"incarnation":"i"})"), "wrong_type");
  CAF_CHECK_EQUAL(why(R"({"op":"deregister","incarnation":"a b"})"),
                  "wrong_type");
  CAF_CHECK_EQUAL(why(R"({"op":"register","incarnation":"i","format":"xml"})"),
                  "unknown_format");
  CAF_CHECK_EQUAL(why(R"({"op":"register","incarnation":"i","format":1})"),
                  "wrong_type");
  CAF_CHECK_EQUAL(why(std::string(limits::payload_bytes_max + 1, ' ')),
                  "too_large");
}

CAF_TEST(a_refusal_goes_to_an_inbox_or_nowhere) {
  auto x = decode_registration(R"({"op":"dance","reply_to":"_INBOX.a"})");
  CAF_CHECK_EQUAL(x.reply_to, "_INBOX.a");
  auto evil = decode_registration(
      R"({"op":"register","format":"frame","incarnation":"i",)"
      R"("reply_to":"instance.events.x"})");
  CAF_CHECK_EQUAL(refusal(evil), "wrong_type");
  CAF_CHECK(evil.reply_to.empty());
}

CAF_TEST(refused_acks_and_heartbeats_say_why) {
  CAF_CHECK_EQUAL(refusal(decode_ack(R"({"incarnation":"i"})")),
                  "missing_member");
  CAF_CHECK_EQUAL(refusal(decode_ack(R"({"incarnation":"i","positions":[]})")),
                  "wrong_type");
  for (auto shard : {"64", "x", "", "-1", "00", "99999", "1 "})
    CAF_CHECK_EQUAL(refusal(decode_ack(R"({"incarnation":"i","positions":{")"
                                       + std::string{shard} + "\":1}}")),
                    "unknown_shard");
  for (auto at : {"-1", "1.5", "\"1\"", "18446744073709551615", "null"})
    CAF_CHECK_EQUAL(refusal(decode_ack(R"({"incarnation":"i","positions":{"1":)"
                                       + std::string{at} + "}}")),
                    "wrong_type");
  CAF_CHECK_EQUAL(refusal(decode_heartbeat("x")), "malformed");
  CAF_CHECK_EQUAL(refusal(decode_heartbeat(R"({"incarnation":"a.b"})")),
                  "wrong_type");
  CAF_CHECK(decode_heartbeat("{}"));
}

CAF_TEST(refused_ranges_use_only_the_words_of_their_protocol) {
  for (auto body : {"", "{}", R"({"incarnation":"i","shard":"5"})",
                    R"({"incarnation":"i","shard":5,"from":9,"to":8})",
                    R"({"incarnation":"i","shard":5,"from":-1,"to":8})",
                    R"({"incarnation":"","shard":5,"from":1,"to":8})"})
    CAF_CHECK_EQUAL(refusal(decode_range_request(body)), "malformed");
  CAF_CHECK_EQUAL(refusal(decode_range_request(
                      R"({"incarnation":"i","shard":64,"from":1,"to":8})")),
                  "unknown_shard");
}

CAF_TEST(answers_that_would_harm_an_instance_are_refused) {
  for (auto body :
       {R"({"status":"registered"})",
        R"({"status":"registered","instance":"n","incarnation":"i","shards":0,)"
        R"("presence_shards":8,"heartbeat_ms":5000,"frame_bytes_max":1,)"
        R"("positions":{}})",
        R"({"status":"registered","instance":"n","incarnation":"i","shards":8,)"
        R"("presence_shards":8,"heartbeat_ms":5000,"frame_bytes_max":1,)"
        R"("positions":{"0":[1]}})",
        R"({"status":"perhaps"})", R"({"status":"rejected","reason":"mood"})"})
    CAF_CHECK(!decode_registration_reply(body));
  for (auto body : {R"({"status":"rejected","reason":"lost"})", "FNT1", "{}",
                    R"({"status":"registered","reason":"busy"})"})
    CAF_CHECK(!decode_range_rejected(body));
}

CAF_TEST(no_bytes_crash_the_decoders) {
  std::mt19937_64 random{test_seed()};
  const std::string bodies[]
      = {encode(full_register), encode(full_registered), encode(full_ack),
         encode(full_range),
         encode(range_rejected{control_reject::lost, position{9}})};
  for (int round = 0; round < 20'000; ++round)
    for (auto& valid : bodies) {
      auto body = mutated(valid, random);
      if (auto x = decode_registration(body))
        CAF_REQUIRE(decode_registration(encode(*x)).value == x.value);
      if (auto x = decode_registration_reply(body))
        CAF_REQUIRE(decode_registration_reply(encode(*x)).value == x.value);
      if (auto x = decode_ack(body))
        CAF_REQUIRE(decode_ack(encode(*x)).value == x.value);
      if (auto x = decode_range_request(body))
        CAF_REQUIRE(decode_range_request(encode(*x)).value == x.value);
      if (auto x = decode_range_rejected(body))
        CAF_REQUIRE(decode_range_rejected(encode(*x)).value == x.value);
      if (auto x = decode_heartbeat(body))
        CAF_REQUIRE(decode_heartbeat(encode(*x)).value == x.value);
    }
}
