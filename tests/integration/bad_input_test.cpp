// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.bad_input

#include "core/hash.hpp"
#include "tests/integration/clients.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

struct dead_message {
  std::string source, reason, subject, body;
};

struct bad_message {
  std::string body, reason;
};

constexpr auto answer_patience = 10s;

struct fixture {
  node_process node{{"nats.stream-bytes-max=2MiB"}};
  std::mutex mutex;
  std::vector<dead_message> dead;
  std::optional<clients> talk;
  std::optional<receiver> f1, s1;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
    talk->via.subscribe("fantail.dead.>", [this](const nats::message& x) {
      std::lock_guard guard{mutex};
      dead.push_back({std::string{last_token(x.subject)},
                      std::string{header_value(x.headers, "Fantail-Reason")},
                      std::string{header_value(x.headers, "Fantail-Subject")},
                      std::string{x.body}});
    });
    f1.emplace(*talk, "f1", delivery_format::frame);
    s1.emplace(*talk, "s1", delivery_format::single);
    CAF_REQUIRE(f1->is_registered());
    CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
    CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
  }

  ~fixture() {
    talk->via.unsubscribe("fantail.dead.>");
    CAF_CHECK_EQUAL(node.stop(), 0);
  }

  /// Everybody else is unharmed.
  void check_delivery() {
    auto id = talk->publish("general");
    CAF_CHECK(f1->receives(id));
    CAF_CHECK(s1->receives(id));
  }

  /// Waits for the dead letter, which the metrics have to count, too.
  bool is_buried(const std::string& source, const std::string& reason,
                 const std::string& subject, const std::string& body) {
    auto found = eventually(
        [&] {
          std::lock_guard guard{mutex};
          return std::any_of(dead.begin(), dead.end(), [&](auto& x) {
            return x.source == source && x.reason == reason
                   && x.subject == subject
                   && x.body == body.substr(0, 64 * 1024);
          });
        },
        answer_patience);
    if (!found)
      CAF_MESSAGE("no dead letter " << source << " " << reason << ": "
                                    << body.substr(0, 80));
    return found && rejections(source, reason) > 0;
  }

  double rejections(const std::string& source, const std::string& reason) {
    return node.metric("fanout_messages_rejected_total{source=\"" + source
                       + "\",reason=\"" + reason + "\"}");
  }

  /// Publishes `body`, whose reply_to is put in for `@`, and waits for the
  /// reason in the answer; empty if there is none.
  std::string refusal_of(const std::string& subject, std::string& body) {
    auto inbox = talk->via.new_inbox();
    if (auto at = body.find('@'); at != body.npos)
      body.replace(at, 1, inbox);
    std::string reason;
    talk->via.subscribe(inbox, [&](const nats::message& x) {
      auto answer = json::parse(x.body).value_or(json::value{});
      std::lock_guard guard{mutex};
      reason = answer.string_or("reason", "none in the answer");
    });
    talk->via.publish(subject, body);
    eventually(
        [&] {
          std::lock_guard guard{mutex};
          return !reason.empty();
        },
        answer_patience);
    talk->via.unsubscribe(inbox);
    // The handler refers to this frame.
    talk->loop.run_and_wait([] {});
    return reason;
  }

  bool is_stored(const std::string& subject, const std::string& body) {
    auto answer = talk->via.request_wait(subject, body, answer_patience);
    return answer && !nats::parse_publish_ack(*answer).error;
  }
};

std::string presence_subject(const std::string& user) {
  auto shard = presence_shard_of(user, 8).value;
  return subjects::presence_prefix(shard) + user;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(bad_input_tests, fixture)

CAF_TEST(a bad presence change is answered and buried) {
  std::vector<bad_message> cases{
      {R"({"op":"fly","reply_to":"@"})", "unknown_op"},
      {R"({"session":"s","reply_to":"@"})", "missing_member"},
      {R"({"op":"online","session":"s","reply_to":"@"})", "missing_member"},
      {R"({"op":7,"reply_to":"@"})", "wrong_type"},
      {R"({"op":"join","channels":"general","reply_to":"@"})", "wrong_type"},
      {R"({"op":"join","channels":[1],"reply_to":"@"})", "wrong_type"},
      {R"({"op":"join","channels":["a.b"],"reply_to":"@"})", "illegal_channel"},
      {R"({"op":"join","channels":[""],"reply_to":"@"})", "illegal_channel"},
      {R"({"op":"offline","session":"a b","reply_to":"@"})", "illegal_session"},
      {R"({"op":"offline","session":"ghost","reply_to":"@"})",
       "unknown_session"},
      {R"({"op":"online","session":"s","instance":">","reply_to":"@"})",
       "illegal_instance"}};
  for (auto& x : cases) {
    CAF_CHECK_EQUAL(refusal_of("presence.update.eve", x.body), x.reason);
    CAF_CHECK(is_buried("presence", x.reason, presence_subject("eve"), x.body));
  }
  check_delivery();
}

CAF_TEST(presence that is no JSON or far too long is buried) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i)
    deep += "{\"a\":[";
  std::string many = R"({"op":"set","channels":[)";
  for (int i = 0; i <= 20'000; ++i)
    many += (i ? ",\"c" : "\"c") + std::to_string(i) + "\"";
  many += "]}";
  std::vector<bad_message> cases{
      {"garbage", "malformed"},
      {"", "malformed"},
      {"[1]", "malformed"},
      {"\xff\xfe\x00\x01", "malformed"},
      {deep, "malformed"},
      {many, "too_many_channels"},
      {R"({"op":"leave","x":")" + std::string(600'000, 'x') + "\"}",
       "too_large"},
      {R"({"op":"leave","channels":[],"reply_to":"instance.events.f1"})",
       "wrong_type"}};
  for (auto& x : cases) {
    CAF_CHECK(is_stored("presence.update.eve", x.body));
    CAF_CHECK(is_buried("presence", x.reason, presence_subject("eve"), x.body));
  }
  check_delivery();
}

CAF_TEST(illegal names in subjects are buried) {
  CAF_CHECK(is_stored("fantail.in.3.bad$name", "x"));
  CAF_CHECK(is_buried("chat", "illegal_channel", "fantail.in.3.bad$name", "x"));
  auto body = R"({"op":"join","channels":["general"]})";
  CAF_CHECK(is_stored("fantail.presence.3.bad$name", body));
  CAF_CHECK(is_buried("presence", "illegal_user", "fantail.presence.3.bad$name",
                      body));
  check_delivery();
}

CAF_TEST(an event that no frame can hold is buried and the next arrives) {
  std::string body(limits::event_bytes_max + 1, 'x');
  CAF_CHECK(is_stored("messages.send.general", body));
  auto subject
      = subjects::shard_prefix(shard_of("general", 8).value) + "general";
  CAF_CHECK(is_buried("chat", "event_too_large", subject, body));
  check_delivery();
}

CAF_TEST(a bad registration is answered and buried) {
  std::vector<bad_message> cases{
      {R"({"op":"register","format":"xml","incarnation":"i","reply_to":"@"})",
       "unknown_format"},
      {R"({"op":"register","format":"frame","reply_to":"@"})",
       "missing_member"},
      {R"({"op":"enlist","incarnation":"i","reply_to":"@"})", "unknown_op"},
      {R"({"op":"register","format":1,"incarnation":"i","reply_to":"@"})",
       "wrong_type"}};
  for (auto& x : cases) {
    CAF_CHECK_EQUAL(refusal_of("instance.register.f9", x.body), x.reason);
    CAF_CHECK(is_buried("register", x.reason, "instance.register.f9", x.body));
  }
  CAF_CHECK(is_stored("instance.register.f9", "garbage"));
  CAF_CHECK(
      is_buried("register", "malformed", "instance.register.f9", "garbage"));
  check_delivery();
}

CAF_TEST(garbage from instances is buried) {
  auto say = [&](const std::string& word, const std::string& instance) {
    talk->via.publish("instance." + word + "." + instance, "garbage");
  };
  for (auto* word : {"heartbeat", "ack", "range"}) {
    say(word, "f1");
    CAF_CHECK(is_buried(word, "malformed",
                        "instance." + std::string{word} + ".f1", "garbage"));
  }
  say("ack", "ghost");
  CAF_CHECK(
      is_buried("ack", "unknown_instance", "instance.ack.ghost", "garbage"));
  // Heartbeats are many, so those of strangers are only counted.
  say("heartbeat", "ghost");
  CAF_CHECK(eventually(
      [&] { return rejections("heartbeat", "unknown_instance") > 0; }));
  check_delivery();
}

CAF_TEST(a stream deleted under the node comes back and the loss is told) {
  check_delivery();
  auto stream = subjects::shard_stream(shard_of("general", 8).value);
  CAF_REQUIRE(
      talk->via.request_wait("$JS.API.STREAM.DELETE." + stream, "", 10s));
  check_delivery();
  CAF_CHECK(eventually([&] { return node.has_logged("stream-restarted"); }));
  check_delivery();
  CAF_CHECK_EQUAL(f1->count("e1"), 1u);
}

CAF_TEST(a full stream refuses events and presence goes on) {
  check_delivery();
  auto code = 0;
  for (int i = 0; i < 100 && code == 0; ++i) {
    auto answer = talk->via.request_wait("messages.send.general",
                                         std::string(100'000, 'x'), 10s);
    CAF_REQUIRE(answer);
    if (auto ack = nats::parse_publish_ack(*answer); ack.error)
      code = ack.error->code;
  }
  CAF_CHECK_EQUAL(code, nats::api_code::maximum_bytes);
  std::string other = "channel-0";
  for (int i = 1; shard_of(other, 8) == shard_of("general", 8); ++i)
    other = "channel-" + std::to_string(i);
  CAF_CHECK(talk->join("ada", {other}));
  CAF_CHECK(f1->receives(talk->publish(other)));
  CAF_CHECK(node.get("/ready")->status == 200);
}

CAF_TEST(a server that is killed alone comes back and nothing is lost) {
  std::vector<std::string> published;
  for (int i = 0; i < 300; ++i) {
    published.push_back(talk->publish("general"));
    if (i == 150)
      CAF_REQUIRE(node.kill_server());
  }
  CAF_CHECK(talk->all_stored());
  CAF_CHECK(f1->receives(published.back()));
  auto received = f1->ids();
  // Events that were repeated may be stored behind later ones.
  std::sort(received.begin(), received.end());
  std::sort(published.begin(), published.end());
  CAF_CHECK(received == published);
  CAF_CHECK_EQUAL(f1->losses(), 0u);
  CAF_CHECK(talk->join("ada", {"later"}));
  CAF_CHECK(f1->receives(talk->publish("later")));
}

CAF_TEST_FIXTURE_SCOPE_END()
