// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.presence_query

#include "client/presence_watcher.hpp"
#include "tests/integration/clients.hpp"

#include "caf/test/unit_test.hpp"

#include <set>

using namespace fantail;
using namespace fantail::test;

namespace {

struct fixture {
  node_process node;
  std::optional<clients> talk;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
  }

  json::value ask(const std::string& subject, const std::string& body = {}) {
    auto answer = talk->via.request_wait(subject, body, 10s);
    return answer ? json::parse(*answer).value_or(json::value{})
                  : json::value{};
  }
};

/// What a watcher of a channel was told.
struct seen_users {
  std::mutex mutex;
  std::set<std::string> online;
  bool is_known = false;

  bool is(const std::set<std::string>& wanted) {
    return eventually([&] {
      std::lock_guard guard{mutex};
      return is_known && online == wanted;
    });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(presence_query_tests, fixture)

CAF_TEST(a plain request tells who is online) {
  CAF_REQUIRE(talk->online("ada", "s1", "n1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "s1", "n2", {"general", "random"}));
  auto channel = ask("presence.query.channel.general");
  CAF_CHECK_EQUAL(channel.int_or("online", -1), 2);
  CAF_CHECK_EQUAL(channel.find("users")->if_array()->size(), 2u);
  auto user = ask("presence.query.user.bob");
  CAF_CHECK(user.bool_or("online", false));
  auto& session = user.find("sessions")->if_array()->at(0);
  CAF_CHECK_EQUAL(session.string_or("instance", ""), "n2");
  auto refused = ask("presence.query.channel.general", "nonsense");
  CAF_CHECK_EQUAL(refused.string_or("reason", ""), "malformed");
  CAF_CHECK_EQUAL(node.stop(), 0);
}

CAF_TEST(a watcher knows the members of a channel across a restart) {
  seen_users seen;
  client::presence_watcher watcher{talk->loop, talk->via, {500ms}};
  watcher.watch_channel("general", [&](const client::channel_presence& x) {
    std::lock_guard guard{seen.mutex};
    seen.is_known = true;
    seen.online = {x.online.begin(), x.online.end()};
  });
  CAF_CHECK(seen.is({}));
  CAF_REQUIRE(talk->online("ada", "s1", "n1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "s1", "n2", {"general"}));
  CAF_CHECK(seen.is({"ada", "bob"}));
  CAF_REQUIRE(talk->leave("ada", {"general"}));
  CAF_CHECK(seen.is({"bob"}));
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  CAF_REQUIRE(talk->online("eve", "s1", "n1", {"general"}));
  CAF_CHECK(seen.is({"bob", "eve"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
