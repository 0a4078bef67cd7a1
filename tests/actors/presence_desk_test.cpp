// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.presence_desk

#include "actors/presence_desk.hpp"
#include "actors/presence_shard.hpp"
#include "actors/routing_shard.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

using kind = presence_topic::kind;
using ask = presence_asked::kind;

/// Two routing shards, two presence shards and the desk between them.
struct fixture : actor_fixture {
  memory_members members;
  std::vector<routing_shard_actor> routing;
  std::vector<presence_shard_actor> presence;
  presence_desk_actor desk;
  uint64_t stored[2] = {0, 0};

  fixture() {
    for (auto* name : {"n0", "n1"})
      instances.intern(name);
    for (uint16_t i = 0; i < 2; ++i) {
      routing_shard_deps deps;
      deps.env = env;
      deps.shard = shard_id{i};
      deps.presence_shards = 2;
      deps.owner = epoch{1};
      routing.push_back(adopt(sys.spawn(routing_shard, deps)));
    }
    for (uint16_t i = 0; i < 2; ++i) {
      presence_shard_deps deps;
      deps.env = env;
      deps.shard = presence_shard_id{i};
      deps.members = &members;
      deps.ledger.shards = 2;
      deps.ledger.started = clock.now();
      deps.routing = routing;
      presence.push_back(adopt(sys.spawn(presence_shard, deps)));
      caf::anon_send(presence.back(),
                     log_found{{"t1", position{1}, position{0}}});
    }
    presence_desk_deps deps;
    deps.env = env;
    deps.routing = routing;
    deps.presence = presence;
    deps.life = "n1-7";
    desk = adopt(sys.spawn(presence_desk, deps));
    run();
  }

  void open() {
    caf::anon_send(desk, presence_exact{});
    run();
  }

  void update(std::string_view user, std::string_view body) {
    auto home = presence_shard_of(user, 2).value;
    caf::anon_send(presence[home],
                   pulled{record(home, ++stored[home], user, body)});
    run();
  }

  void online(std::string_view user, const std::string& instance,
              const std::string& channels) {
    update(user, R"({"op":"online","session":"s-)" + instance
                     + R"(","instance":")" + instance + R"(","channels":[)"
                     + channels + "]}");
  }

  void offline(std::string_view user, const std::string& instance) {
    update(user, R"({"op":"offline","session":"s-)" + instance + R"("})");
  }

  /// The answer to a question, or null if there is none yet.
  json::value answer_to(ask what, presence_topic topic,
                        const std::string& body = {},
                        const std::string& reply_to = "_INBOX.q") {
    caf::anon_send(desk,
                   presence_asked{what, std::move(topic), body, reply_to});
    run();
    return take("_INBOX.q");
  }

  json::value take(const std::string& inbox) {
    auto& all = control.answers;
    auto i = std::find_if(all.begin(), all.end(),
                          [&](auto& x) { return x.reply_to == inbox; });
    if (i == all.end())
      return {};
    auto result = json::parse(i->body).value_or(json::value{});
    all.erase(i);
    return result;
  }

  json::value in(const std::string& channel, const std::string& body = {}) {
    return answer_to(ask::query, {kind::channel, channel}, body);
  }

  static std::string users_of(const json::value& answer) {
    std::string result;
    if (auto* users = answer.find("users"))
      for (auto& x : *users->if_array())
        result += x.string_or("user", "?") + " ";
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(presence_desk_tests, fixture)

CAF_TEST(who is online in a channel) {
  open();
  online("ada", "n0", R"("general","random")");
  online("bob", "n1", R"("general")");
  online("bob", "n0", R"("general")");
  online("eve", "n1", R"("random")");
  auto answer = in("general");
  CAF_CHECK_EQUAL(answer.string_or("status", ""), "ok");
  CAF_CHECK_EQUAL(answer.int_or("online", -1), 3);
  CAF_CHECK_EQUAL(answer.find("instances")->int_or("n0", -1), 2);
  auto users = users_of(answer);
  CAF_CHECK(users == "ada bob " || users == "bob ada ");
  CAF_CHECK(!answer.find("next"));
  offline("ada", "n0");
  CAF_CHECK_EQUAL(users_of(in("general")), "bob ");
  CAF_CHECK_EQUAL(in("nobody").int_or("online", -1), 0);
}

CAF_TEST(a long answer comes in pages) {
  open();
  std::set<std::string> wanted, found;
  for (int i = 0; i < 50; ++i) {
    auto user = "u" + std::to_string(i);
    online(user, "n0", R"("general")");
    wanted.insert(user);
  }
  std::string next;
  for (int page = 0; page < 8; ++page) {
    auto body = next.empty() ? R"({"limit":7})"
                             : R"({"limit":7,"next":")" + next + "\"}";
    auto answer = in("general", body);
    for (auto& x : *answer.find("users")->if_array())
      CAF_CHECK(found.insert(x.string_or("user", "")).second);
    next = answer.string_or("next", "");
  }
  CAF_CHECK_EQUAL(next, "");
  CAF_CHECK(found == wanted);
}

CAF_TEST(where a user is) {
  open();
  online("ada", "n0", R"("general")");
  online("ada", "n1", R"("general")");
  auto answer = answer_to(ask::query, {kind::user, "ada"});
  CAF_CHECK(answer.bool_or("online", false));
  CAF_CHECK_EQUAL(answer.find("sessions")->if_array()->size(), 2u);
  CAF_CHECK_EQUAL(answer.int_or("version", -1), 2);
  CAF_CHECK(
      !answer_to(ask::query, {kind::user, "bob"}).bool_or("online", true));
}

CAF_TEST(a watched user is followed) {
  open();
  auto opened = answer_to(ask::watch, {kind::user, "ada"},
                          R"({"deliver_to":"_INBOX.w"})");
  CAF_CHECK_EQUAL(opened.string_or("status", ""), "watching");
  online("ada", "n0", R"("general")");
  online("bob", "n0", R"("general")");
  pass(10ms);
  auto first = take("_INBOX.w");
  CAF_CHECK(first.bool_or("online", false));
  CAF_CHECK_EQUAL(first.int_or("number", 0), 1);
  CAF_CHECK_EQUAL(first.string_or("watch", ""), opened.string_or("watch", "?"));
  offline("ada", "n0");
  pass(1s);
  auto second = take("_INBOX.w");
  CAF_CHECK(!second.bool_or("online", true));
  CAF_CHECK_EQUAL(second.int_or("version", 0), 2);
  CAF_CHECK(take("_INBOX.w").is_null());
  answer_to(ask::watch, {kind::user, "ada"},
            R"({"deliver_to":"_INBOX.w","op":"end"})");
  online("ada", "n1", R"("general")");
  pass(1s);
  CAF_CHECK(take("_INBOX.w").is_null());
}

CAF_TEST(a watched channel tells who comes and goes) {
  open();
  online("ada", "n0", R"("general","random")");
  answer_to(ask::watch, {kind::channel, "general"},
            R"({"deliver_to":"_INBOX.w"})");
  online("bob", "n1", R"("general")");
  online("eve", "n1", R"("random")");
  pass(10ms);
  auto first = take("_INBOX.w");
  CAF_CHECK_EQUAL(json::serialize(*first.find("changes")),
                  R"([{"online":true,"user":"bob"}])");
  update("ada", R"({"op":"leave","channels":["general"]})");
  offline("bob", "n1");
  pass(1s);
  auto second = take("_INBOX.w");
  CAF_CHECK_EQUAL(json::serialize(*second.find("changes")),
                  R"([{"online":false,"user":"ada"},)"
                  R"({"online":false,"user":"bob"}])");
  CAF_CHECK(in("general").int_or("version", -1)
            >= second.int_or("version", 1'000));
  // A lease that nobody renews ends.
  pass(2min);
  online("bob", "n1", R"("general")");
  pass(1s);
  CAF_CHECK(take("_INBOX.w").is_null());
}

CAF_TEST(bad questions are refused and harm nobody) {
  auto reason = [](const json::value& x) {
    return x.string_or("reason", "");
  };
  CAF_CHECK_EQUAL(reason(in("general")), "busy");
  open();
  CAF_CHECK_EQUAL(reason(in("gen*")), "illegal_channel");
  CAF_CHECK_EQUAL(reason(answer_to(ask::query, {kind::user, "a b"})),
                  "illegal_user");
  CAF_CHECK_EQUAL(reason(in("general", "[")), "malformed");
  CAF_CHECK_EQUAL(reason(answer_to(ask::watch, {kind::user, "ada"}, "{}")),
                  "missing_member");
  CAF_CHECK_EQUAL(control.buried.size(), 4u);
  CAF_CHECK_EQUAL(control.buried[0], "query/illegal_channel");
  answer_to(ask::query, {kind::user, "ada"}, {}, "messages.send.x");
  CAF_CHECK(control.answers.empty());
  CAF_CHECK_EQUAL(in("general").string_or("status", ""), "ok");
}

CAF_TEST(the watched channels of a shard are bounded) {
  open();
  size_t refused = 0, opened = 0;
  for (size_t i = 0; i < 3 * limits::watched_channels_max; ++i) {
    auto answer
        = answer_to(ask::watch, {kind::channel, "c" + std::to_string(i)},
                    R"({"deliver_to":"_INBOX.w"})");
    if (answer.string_or("reason", "") == "too_many_watches")
      ++refused;
    else
      ++opened;
  }
  CAF_CHECK_EQUAL(opened, 2 * limits::watched_channels_max);
  CAF_CHECK_EQUAL(refused, limits::watched_channels_max);
}

CAF_TEST_FIXTURE_SCOPE_END()
