// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.admin

#include "core/hash.hpp"
#include "tests/integration/clients.hpp"
#include "tests/integration/operator.hpp"

#include "caf/test/unit_test.hpp"

#include <sys/stat.h>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr uint16_t shards = 2;
const std::string shard_path = "/api/v1/actors/routing%2Fshard-0";

/// A channel of shard 0.
std::string channel_of_shard_0() {
  for (int i = 0;; ++i)
    if (auto name = "room-" + std::to_string(i);
        shard_of(name, shards).value == 0)
      return name;
}

/// A node of two shards with a `frame` instance, which one user of a channel of
/// shard 0 is on.
struct fixture {
  node_process node{{"cluster.shards=2", "cluster.presence-shards=2"}};
  node_operator boss{node};
  std::string channel = channel_of_shard_0();
  std::optional<clients> talk;
  std::optional<receiver> f1;
  std::vector<std::string> sent;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
    f1.emplace(*talk, "f1", delivery_format::frame);
    CAF_REQUIRE(f1->is_registered());
    CAF_REQUIRE(talk->online("ada", "a1", "f1", {channel}));
  }

  ~fixture() { CAF_CHECK_EQUAL(node.stop(), 0); }

  void publish(int count) {
    for (int i = 0; i < count; ++i)
      sent.push_back(talk->publish(channel));
  }

  /// Everything that was sent arrived once and in order.
  void check_deliveries() {
    CAF_REQUIRE(talk->all_stored());
    CAF_CHECK(f1->receives(sent.back()));
    CAF_CHECK(f1->ids() == sent);
    CAF_CHECK_EQUAL(f1->losses(), 0u);
  }

  int64_t restarts() {
    return boss.actor("routing%2Fshard-0").int_or("restarts", -1);
  }

  json::value in_tree() {
    auto tree = boss.ask("/api/v1/tree");
    auto& routing = with(at(at(tree, "root"), "children"), "id", "routing");
    return with(at(routing, "children"), "id", "routing/shard-0");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(admin_tests, fixture)

CAF_TEST(a shard that is killed in any way comes back and nothing is lost) {
  publish(50);
  int64_t kills = 0;
  for (std::string mode : {"exception", "exit", "kill"}) {
    auto answer = boss.tell(shard_path + "/kill?mode=" + mode);
    CAF_CHECK_EQUAL(answer.string_or("outcome", ""), "done");
    publish(50);
    ++kills;
    CAF_CHECK(eventually([&] { return restarts() == kills; }));
    auto shown = in_tree();
    CAF_CHECK_EQUAL(shown.int_or("restarts", -1), kills);
    CAF_CHECK_EQUAL(shown.string_or("phase", ""), "running");
    CAF_CHECK(!at(shown, "last_cause").is_null());
  }
  check_deliveries();
  auto actor = boss.actor("routing%2Fshard-0");
  auto events = at(actor, "events").if_array();
  CAF_REQUIRE(events);
  std::string kinds;
  for (auto& x : *events)
    kinds += x.string_or("kind", "?") + " ";
  CAF_CHECK_EQUAL(kinds, "started killed failed restarted killed failed "
                         "restarted killed failed restarted ");
  auto listed = boss.ask("/api/v1/actors?top=restarts&limit=1");
  CAF_CHECK_EQUAL(at(listed, "actors").if_array()->at(0).string_or("id", ""),
                  "routing/shard-0");
  CAF_CHECK_EQUAL(boss.audit_lines().size(), 3u);
}

CAF_TEST(every kind of actor can be killed and nothing is lost) {
  publish(20);
  for (std::string id :
       {"delivery%2Fegress-0", "presence%2Fpresence-0", "routing%2Fpuller-0",
        "outboxes%2Foutbox-0", "edge%2Fregistrar", "edge%2Fpresence-desk",
        "edge%2Fsnapshot-keeper"}) {
    CAF_MESSAGE(id);
    CAF_CHECK_EQUAL(boss.tell("/api/v1/actors/" + id + "/kill?mode=kill")
                        .string_or("outcome", ""),
                    "done");
    CAF_CHECK(
        eventually([&] { return boss.actor(id).int_or("restarts", 0) == 1; }));
    publish(20);
  }
  CAF_CHECK(talk->online("bob", "b1", "f1", {channel}));
  check_deliveries();
}

CAF_TEST(a supervisor that is killed comes back with its children) {
  publish(20);
  CAF_CHECK_EQUAL(boss.tell("/api/v1/actors/routing/kill?mode=kill")
                      .string_or("outcome", ""),
                  "done");
  CAF_CHECK(eventually([&] { return restarts() == 1; }));
  CAF_CHECK_EQUAL(boss.actor("routing").int_or("restarts", 0), 1);
  publish(20);
  check_deliveries();
}

CAF_TEST(an actor that hangs is seen and told and the others go on) {
  raw_http viewer{node.http_port()};
  viewer.ask("/api/v1/events?kind=actor-stuck,actor-unstuck");
  CAF_REQUIRE(viewer.reads(": watching"));
  CAF_CHECK_EQUAL(boss.tell(shard_path + "/kill?mode=hang&for_ms=3000")
                      .string_or("outcome", ""),
                  "done");
  CAF_CHECK(viewer.reads("event: actor-stuck"));
  CAF_CHECK(viewer.reads("\"message\":\"hang_on_purpose\""));
  auto shown = boss.actor("routing%2Fshard-0");
  CAF_CHECK_EQUAL(shown.string_or("state", ""), "stuck");
  CAF_CHECK_EQUAL(shown.string_or("current_message", ""), "hang_on_purpose");
  CAF_CHECK(shown.int_or("current_for_ns", 0) > 1'000'000'000);
  CAF_CHECK_EQUAL(node.metric("fanout_actors_stuck"), 1);
  // The other shard answers.
  CAF_CHECK_EQUAL(boss.actor("routing%2Fshard-1").string_or("state", ""),
                  "idle");
  publish(20);
  CAF_CHECK(viewer.reads("event: actor-unstuck"));
  check_deliveries();
  CAF_CHECK_EQUAL(node.metric("fanout_actors_stuck_total"), 1);
}

CAF_TEST(messages to a suspended shard wait until it is resumed) {
  publish(5);
  check_deliveries();
  CAF_CHECK_EQUAL(boss.tell(shard_path + "/suspend").string_or("outcome", ""),
                  "done");
  publish(5);
  CAF_CHECK(eventually([&] {
    auto shown = boss.actor("routing%2Fshard-0");
    return shown.string_or("state", "") == "suspended"
           && shown.int_or("held", 0) > 0;
  }));
  CAF_CHECK_EQUAL(f1->ids().size(), 5u);
  // It still answers operators.
  CAF_CHECK(!at(boss.actor("routing%2Fshard-0"), "internals").is_null());
  auto answer = boss.tell(shard_path + "/resume");
  CAF_CHECK_EQUAL(answer.string_or("outcome", ""), "done");
  check_deliveries();
}

CAF_TEST(without the token nothing is changed) {
  auto answer = boss.post_without_token(shard_path + "/kill");
  CAF_CHECK_EQUAL(answer.status, 401);
  CAF_CHECK(answer.says("/admin.token"));
  CAF_CHECK_EQUAL(
      boss.tell(shard_path + "/kill?dry_run=true").string_or("outcome", ""),
      "would_be_done");
  CAF_CHECK_EQUAL(restarts(), 0);
  struct stat about {};
  auto path = node.state_directory() + "/admin.token";
  CAF_REQUIRE_EQUAL(::stat(path.c_str(), &about), 0);
  CAF_CHECK_EQUAL(about.st_mode & 0777u, 0600u);
  auto lines = boss.audit_lines();
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK_EQUAL(lines[0].string_or("result", ""), "unauthorized");
  CAF_CHECK_EQUAL(lines[1].string_or("result", ""), "would_be_done");
}

CAF_TEST(the hottest channel and its way are shown) {
  publish(2'000);
  check_deliveries();
  CAF_CHECK(eventually([&] {
    auto top = boss.ask("/api/v1/channels?top=cost&limit=5");
    return !at(with(at(top, "channels"), "name", channel), "name").is_null();
  }));
  auto route = boss.ask("/api/v1/channels/" + channel + "/route");
  CAF_CHECK(route.bool_or("is_known", false));
  CAF_CHECK_EQUAL(route.int_or("members", 0), 1);
  auto& stop = with(at(route, "instances"), "instance", "f1");
  CAF_CHECK_EQUAL(stop.string_or("why", ""), "members_online");
  CAF_CHECK_EQUAL(stop.string_or("format", ""), "frame");
  auto user = boss.ask("/api/v1/users/ada");
  CAF_CHECK(user.bool_or("is_online", false));
  CAF_CHECK_EQUAL(
      with(at(user, "sessions"), "session", "a1").string_or("instance", ""),
      "f1");
  auto instance
      = with(at(boss.ask("/api/v1/instances"), "instances"), "name", "f1");
  CAF_CHECK_EQUAL(instance.string_or("delivery_state", ""), "live");
  CAF_CHECK_EQUAL(instance.int_or("sessions", 0), 1);
  CAF_CHECK(instance.int_or("routed", 0) >= 2'000);
}

CAF_TEST_FIXTURE_SCOPE_END()
